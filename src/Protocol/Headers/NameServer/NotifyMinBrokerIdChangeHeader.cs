using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Tells a broker that another node now has the lowest id of its group (RocketMQ: NotifyMinBrokerIdChangeRequestHeader).</summary>
public sealed record NotifyMinBrokerIdChangeHeader : ICommandHeader<NotifyMinBrokerIdChangeHeader>
{
    public long? MinBrokerId { get; init; }

    public string? BrokerName { get; init; }

    public string? MinBrokerAddress { get; init; }

    /// <summary>The node that went, if one did.</summary>
    public string? OfflineBrokerAddress { get; init; }

    public string? HaBrokerAddress { get; init; }

    public static NotifyMinBrokerIdChangeHeader Read(HeaderFields fields) => new()
    {
        MinBrokerId = fields.TryFind("minBrokerId"u8, out _) ? fields.GetInt64("minBrokerId"u8) : null,
        BrokerName = fields.FindString("brokerName"u8),
        MinBrokerAddress = fields.FindString("minBrokerAddr"u8),
        OfflineBrokerAddress = fields.FindString("offlineBrokerAddr"u8),
        HaBrokerAddress = fields.FindString("haBrokerAddr"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("minBrokerId"u8, MinBrokerId);
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("minBrokerAddr"u8, MinBrokerAddress);
        writer.Write("offlineBrokerAddr"u8, OfflineBrokerAddress);
        writer.Write("haBrokerAddr"u8, HaBrokerAddress);
    }
}
