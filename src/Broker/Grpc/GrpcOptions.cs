using System.Net;

namespace GrayMQ.Broker.Grpc;

/// <summary>Limits of what gRPC clients ask; the numbers are those of RocketMQ's proxy (ProxyConfig).</summary>
internal sealed record GrpcOptions
{
    /// <summary>Longest time that a receive waits for messages.</summary>
    public static readonly TimeSpan MaxPolling = TimeSpan.FromSeconds(20);

    /// <summary>Shortest; a call whose deadline leaves less is refused.</summary>
    public static readonly TimeSpan MinPolling = TimeSpan.FromSeconds(5);

    /// <summary>What the broker keeps messages invisible for that it renews itself.</summary>
    public static readonly TimeSpan RenewedInvisible = TimeSpan.FromSeconds(60);

    /// <summary>Shortest invisible time that a receive may ask for.</summary>
    public static readonly TimeSpan MinInvisible = TimeSpan.FromSeconds(10);

    /// <summary>Longest invisible time.</summary>
    public static readonly TimeSpan MaxInvisible = TimeSpan.FromHours(12);

    /// <summary>How long a transaction may ask not to be checked.</summary>
    public static readonly TimeSpan MaxRecovery = TimeSpan.FromHours(1);

    /// <summary>Messages of one receive.</summary>
    public const int MaxBatch = 32;

    /// <summary>UTF-8 bytes of a message's user properties, tag and keys.</summary>
    public const int MaxPropertyBytes = 16 * 1024;

    /// <summary>User properties of a message.</summary>
    public const int MaxProperties = 128;

    /// <summary>A message group has to have fewer UTF-8 bytes.</summary>
    public const int MessageGroupBytes = 64;

    public required string BrokerName { get; init; }

    /// <summary>Where clients reach this broker; the port is the one that is bound.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>Bytes of a message's body (RocketMQ: maxMessageSize).</summary>
    public required int MaxBodyBytes { get; init; }

    /// <summary>RocketMQ: enableTopicMessageTypeCheck.</summary>
    public required bool CheckMessageType { get; init; }

    /// <summary>How far ahead a delivery time may lie (RocketMQ: timerMaxDelaySec).</summary>
    public required TimeSpan MaxDelay { get; init; }

    /// <summary>Bytes of messages that were handed out and wait to be taken, of all clients together.</summary>
    public required long MaxUntakenBytes { get; init; }
}
