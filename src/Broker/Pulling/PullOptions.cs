using GrayMQ.Broker.Configuration;

namespace GrayMQ.Broker.Pulling;

/// <summary>Limits and switches of pulling.</summary>
internal sealed record PullOptions
{
    /// <summary>Where consumers reach this broker, for remarks (RocketMQ: brokerIP1).</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>RocketMQ: brokerPermission.</summary>
    public required LiveSetting<int> BrokerPermission { get; init; }

    /// <summary>RocketMQ: litePullMessageEnable.</summary>
    public required bool LitePullEnabled { get; init; }

    /// <summary>RocketMQ: longPollingEnable; when off, a pull waits for <see cref="ShortPollingMs"/> at most.</summary>
    public required bool LongPollingEnabled { get; init; }

    /// <summary>RocketMQ: shortPollingTimeMills.</summary>
    public required int ShortPollingMs { get; init; }

    /// <summary>Longest time that a pull may ask to be kept.</summary>
    public TimeSpan MaxSuspend { get; init; } = TimeSpan.FromSeconds(60);
}
