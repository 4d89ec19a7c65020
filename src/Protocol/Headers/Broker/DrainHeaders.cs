using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>A broker is to leave without loss (this project's request DRAIN_BROKER).</summary>
public sealed record DrainBrokerHeader : ICommandHeader<DrainBrokerHeader>
{
    /// <summary>It does not come back: it waits until nothing of it is left to be consumed.</summary>
    public required bool ScaleIn { get; init; }

    /// <summary>What is still there to be consumed is given up.</summary>
    public bool Abandon { get; init; }

    /// <summary>How many brokers of the cluster may leave at a time, this one included.</summary>
    public int Parallel { get; init; } = 1;

    public static DrainBrokerHeader Read(HeaderFields fields) => new()
    {
        ScaleIn = fields.FindBoolean("scaleIn"u8),
        Abandon = fields.FindBoolean("abandon"u8),
        Parallel = fields.FindInt32("parallel"u8, 1),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("scaleIn"u8, ScaleIn);
        writer.Write("abandon"u8, Abandon);
        writer.Write("parallel"u8, Parallel);
    }
}

/// <summary>A broker tells clients that it leaves: they send elsewhere from now on (this project's request NOTIFY_BROKER_LEAVING).</summary>
public sealed record NotifyBrokerLeavingHeader : ICommandHeader<NotifyBrokerLeavingHeader>
{
    public required string BrokerName { get; init; }

    /// <summary>False: it stays after all.</summary>
    public required bool Leaving { get; init; }

    public static NotifyBrokerLeavingHeader Read(HeaderFields fields) => new()
    {
        BrokerName = fields.GetString("brokerName"u8),
        Leaving = fields.GetBoolean("leaving"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("leaving"u8, Leaving);
    }
}
