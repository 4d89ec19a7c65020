using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Requests;

/// <summary>What brokers may ask of a consumer.</summary>
internal interface IConsumerInside
{
    string Group { get; }

    /// <summary>The members of the group have changed.</summary>
    void OnMembersChanged();

    /// <summary>Goes on from other offsets.</summary>
    Task ResetOffsetsAsync(string topic, IReadOnlyDictionary<MessageQueue, long> offsets);

    /// <summary>Where it is in a topic.</summary>
    Dictionary<MessageQueue, long> DescribeOffsets(string topic);

    ConsumerRunningInfo Describe();

    /// <summary>Hands a message to the handler; null when there is none.</summary>
    Task<ConsumeMessageDirectlyResult?> ConsumeDirectlyAsync(ReceivedMessage message, string brokerName);
}
