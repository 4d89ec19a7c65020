using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Clients;

/// <summary>What clients may say about themselves at most; what lies beyond is refused, never cut.</summary>
public sealed record ClientLimits
{
    public static ClientLimits Default { get; } = new();

    /// <summary>Bytes of a heartbeat's body.</summary>
    public int MaxHeartbeatBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>UTF-16 units of a client id; a stock one is <c>ip@pid#nanotime@unit</c>.</summary>
    public int MaxClientIdLength { get; init; } = 1024;

    /// <summary>UTF-16 units of a group's name (RocketMQ: Validators.CHARACTER_MAX_LENGTH).</summary>
    public int MaxGroupLength { get; init; } = 255;

    /// <summary>UTF-16 units of a topic's name; a retry topic's holds its group's.</summary>
    public int MaxTopicLength { get; init; } = 512;

    /// <summary>Consumer groups, and as many producer groups, that one connection may belong to.</summary>
    public int MaxGroupsPerConnection { get; init; } = 4096;

    /// <summary>Topics that one client may subscribe to within a group.</summary>
    public int MaxSubscriptionsPerGroup { get; init; } = 4096;

    /// <summary>Clients that are remembered after their connection ended, in all groups together.</summary>
    public int MaxRemembered { get; init; } = 100_000;

    /// <summary>Queues of one request to lock or unlock.</summary>
    public int MaxQueuesPerLock { get; init; } = 65_536;

    /// <summary>Queues that are locked at a time, of all groups together.</summary>
    public int MaxLocks { get; init; } = 1_000_000;

    /// <summary>A client that sent no heartbeat for so long is forgotten and its connection closed (RocketMQ: channelExpiredTimeout).</summary>
    public TimeSpan SilentAfter { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// For so long the subscriptions of a client whose connection ended are remembered
    /// (RocketMQ: subscriptionExpiredTimeout).
    /// </summary>
    public TimeSpan RememberFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <exception cref="RemotingException">One more group would be too many.</exception>
    internal void CheckGroups(HashSet<string> joined, string group)
    {
        if (joined.Count >= MaxGroupsPerConnection && !joined.Contains(group))
        {
            throw new RemotingException(
                ResponseCode.SystemError,
                $"the connection belongs to {joined.Count} groups, which is the limit: {group} is not one of them");
        }
    }
}
