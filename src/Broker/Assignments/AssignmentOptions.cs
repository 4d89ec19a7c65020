using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Assignments;

/// <summary>How queues are shared out here for consumers that ask. The members are named like RocketMQ's keys.</summary>
internal sealed record AssignmentOptions
{
    /// <summary>Whether queues are shared out at all; else each consumer is told all of them.</summary>
    public required bool ServerLoadBalancerEnable { get; init; }

    /// <summary>Whether groups pull or pop topics for which nothing was set.</summary>
    public required MessageRequestMode DefaultMessageRequestMode { get; init; }

    /// <summary>With how many others a popping consumer shares its queues; 0 and less means that all share all.</summary>
    public required int DefaultPopShareQueueNum { get; init; }
}
