using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Answer to a heartbeat (RocketMQ: MixAll.IS_SUPPORT_HEART_BEAT_V2, MixAll.IS_SUB_CHANGE).</summary>
public readonly record struct HeartbeatResponseHeader : ICommandHeader<HeartbeatResponseHeader>
{
    /// <summary>Whether the broker understands heartbeats that leave out what has not changed.</summary>
    public bool SupportsV2 { get; init; }

    /// <summary>Whether the client's next heartbeat is to hold its subscriptions again.</summary>
    public bool SubscriptionsChanged { get; init; }

    /// <summary>The broker leaves: the client is to send elsewhere. Of this project.</summary>
    public bool Leaving { get; init; }

    public static HeartbeatResponseHeader Read(HeaderFields fields) => new()
    {
        SupportsV2 = fields.FindBoolean("IS_SUPPORT_HEART_BEAT_V2"u8),
        SubscriptionsChanged = fields.FindBoolean("IS_SUB_CHANGE"u8),
        Leaving = fields.FindBoolean("leaving"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("IS_SUPPORT_HEART_BEAT_V2"u8, SupportsV2);
        writer.Write("IS_SUB_CHANGE"u8, SubscriptionsChanged);
        if (Leaving)
        {
            writer.Write("leaving"u8, true);
        }
    }
}
