using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>
/// A broker asks whether it may leave now, and again and again while it does (this project's request LEASE_DRAIN): brokers that leave at
/// once would each count on the other.
/// </summary>
public sealed record LeaseDrainHeader : ICommandHeader<LeaseDrainHeader>
{
    public required string ClusterName { get; init; }

    public required string BrokerName { get; init; }

    /// <summary><c>ip:port</c> that clients connect to.</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>How many brokers of the cluster may leave at a time, this one included.</summary>
    public required int Parallel { get; init; }

    /// <summary>The lease ends when it was not asked for again within this time, ms.</summary>
    public required long LeaseMs { get; init; }

    /// <summary>How long the broker's route is kept once its connection has ended, ms; 0 for one that does not come back.</summary>
    public required long ReturnMs { get; init; }

    public static LeaseDrainHeader Read(HeaderFields fields) => new()
    {
        ClusterName = fields.GetString("clusterName"u8),
        BrokerName = fields.GetString("brokerName"u8),
        BrokerAddress = fields.GetString("brokerAddr"u8),
        Parallel = fields.GetInt32("parallel"u8),
        LeaseMs = fields.GetInt64("leaseMs"u8),
        ReturnMs = fields.GetInt64("returnMs"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("brokerAddr"u8, BrokerAddress);
        writer.Write("parallel"u8, Parallel);
        writer.Write("leaseMs"u8, LeaseMs);
        writer.Write("returnMs"u8, ReturnMs);
    }
}

/// <summary>What comes of it.</summary>
public sealed record LeaseDrainResponseHeader : ICommandHeader<LeaseDrainResponseHeader>
{
    public required bool Granted { get; init; }

    /// <summary>Names of the other brokers of the cluster that have a lease, separated by <c>;</c>.</summary>
    public required string Others { get; init; }

    public static LeaseDrainResponseHeader Read(HeaderFields fields) => new()
    {
        Granted = fields.GetBoolean("granted"u8),
        Others = fields.FindString("others"u8) ?? "",
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("granted"u8, Granted);
        writer.Write("others"u8, Others);
    }
}

/// <summary>A broker gives its lease back: it has come back, or stays after all (this project's request RETURN_DRAIN).</summary>
public sealed record ReturnDrainHeader : ICommandHeader<ReturnDrainHeader>
{
    public required string ClusterName { get; init; }

    /// <summary><c>ip:port</c> that clients connect to.</summary>
    public required string BrokerAddress { get; init; }

    public static ReturnDrainHeader Read(HeaderFields fields) => new()
    {
        ClusterName = fields.GetString("clusterName"u8),
        BrokerAddress = fields.GetString("brokerAddr"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("brokerAddr"u8, BrokerAddress);
    }
}
