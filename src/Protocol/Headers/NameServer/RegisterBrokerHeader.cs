using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>A broker registers, and again every 30 s (RocketMQ: RegisterBrokerRequestHeader).</summary>
public sealed record RegisterBrokerHeader : ICommandHeader<RegisterBrokerHeader>
{
    public required string BrokerName { get; init; }

    /// <summary><c>ip:port</c> that clients connect to.</summary>
    public required string BrokerAddress { get; init; }

    public required string ClusterName { get; init; }

    /// <summary><c>ip:port</c> that slaves copy from.</summary>
    public required string HaServerAddress { get; init; }

    /// <summary><c>ip:port</c> of the broker's gRPC; null when it has none. Not of RocketMQ.</summary>
    public string? GrpcAddress { get; init; }

    /// <summary>0 is the master.</summary>
    public required long BrokerId { get; init; }

    /// <summary>Silence after which the broker counts as gone; null leaves it to the name server.</summary>
    public long? HeartbeatTimeoutMs { get; init; }

    /// <summary>Null in registrations of brokers before RocketMQ 5.</summary>
    public bool? EnableActingMaster { get; init; }

    /// <summary>Whether the body is in the zlib form.</summary>
    public bool Compressed { get; init; }

    /// <summary>CRC32 of the body as sent, its highest bit cleared; 0 means unchecked.</summary>
    public int BodyCrc32 { get; init; }

    public string? ZoneName { get; init; }

    public static RegisterBrokerHeader Read(HeaderFields fields) => new()
    {
        BrokerName = fields.GetString("brokerName"u8),
        BrokerAddress = fields.GetString("brokerAddr"u8),
        ClusterName = fields.GetString("clusterName"u8),
        HaServerAddress = fields.GetString("haServerAddr"u8),
        BrokerId = fields.GetInt64("brokerId"u8),
        HeartbeatTimeoutMs = fields.TryFind("heartbeatTimeoutMillis"u8, out _) ? fields.GetInt64("heartbeatTimeoutMillis"u8) : null,
        EnableActingMaster = fields.TryFind("enableActingMaster"u8, out _) ? fields.GetBoolean("enableActingMaster"u8) : null,
        Compressed = fields.FindBoolean("compressed"u8),
        BodyCrc32 = fields.FindInt32("bodyCrc32"u8),
        ZoneName = fields.FindString("__ZONE_NAME"u8),
        GrpcAddress = fields.FindString("grpcAddr"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("brokerAddr"u8, BrokerAddress);
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("haServerAddr"u8, HaServerAddress);
        writer.Write("brokerId"u8, BrokerId);
        writer.Write("heartbeatTimeoutMillis"u8, HeartbeatTimeoutMs);
        writer.Write("enableActingMaster"u8, EnableActingMaster);
        writer.Write("compressed"u8, Compressed);
        writer.Write("bodyCrc32"u8, BodyCrc32);
        writer.Write("__ZONE_NAME"u8, ZoneName);
        writer.Write("grpcAddr"u8, GrpcAddress);
    }
}
