using GrayMQ.Broker.Configuration;

namespace GrayMQ.Broker.Popping;

/// <summary>Limits and switches of popping.</summary>
internal sealed record PopOptions
{
    public required string BrokerName { get; init; }

    /// <summary>Where consumers reach this broker, for remarks (RocketMQ: brokerIP1).</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>RocketMQ: brokerPermission.</summary>
    public required LiveSetting<int> BrokerPermission { get; init; }

    /// <summary>Pops in a hundred that look into the retry topic first (RocketMQ: popFromRetryProbability).</summary>
    public required int FromRetryPercent { get; init; }

    /// <summary>Retry topics are named in their second form (RocketMQ: enableRetryTopicV2).</summary>
    public required bool RetryTopicSecondForm { get; init; }

    /// <summary>Retry topics of the first form are looked into as well (RocketMQ: retrieveMessageFromPopRetryTopicV1).</summary>
    public required bool RetrieveFirstForm { get; init; }

    /// <summary>Retried messages are told under their retry topic, as stored (RocketMQ: popResponseReturnActualRetryTopic).</summary>
    public required bool ReturnRetryTopic { get; init; }

    /// <summary>A new group that begins at the end gets a queue's first messages while memory holds them (RocketMQ: initPopOffsetByCheckMsgInMem).</summary>
    public required bool InitByMessagesInMemory { get; init; }

    /// <summary>Messages of a queue that a group may have in hand (RocketMQ: popInflightMessageThreshold); 0 for any number.</summary>
    public required long MaxInFlight { get; init; }

    /// <summary>Longest time that messages may be invisible.</summary>
    public required TimeSpan MaxInvisible { get; init; }

    /// <summary>Longest time that a request may ask to wait.</summary>
    public TimeSpan MaxPoll { get; init; } = TimeSpan.FromSeconds(60);
}
