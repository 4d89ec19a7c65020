using GrayMQ.Settings;

namespace GrayMQ.Broker.Clients;

/// <summary>The settings of clients, under their RocketMQ names.</summary>
internal static class ClientSettings
{
    public static readonly SettingDefinition<bool> NotifyConsumerIdsChangedEnable =
        Setting.Boolean("notifyConsumerIdsChangedEnable", true, "Consumers are told when others of their group come or go") with
        {
            ChangeableWhileRunning = true,
        };

    private static readonly SettingDefinition<int> ChannelExpiredTimeout =
        Setting.Int32("channelExpiredTimeout", 120_000, "A client without heartbeat for so long is disconnected", 1000) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> SubscriptionExpiredTimeout =
        Setting.Int32("subscriptionExpiredTimeout", 600_000, "How long the subscriptions of a client that is gone are kept", 1000) with
        {
            Unit = "ms",
        };

    public static IReadOnlyList<SettingDefinition> All { get; } =
        [NotifyConsumerIdsChangedEnable, ChannelExpiredTimeout, SubscriptionExpiredTimeout];

    public static ClientLimits ToLimits(EffectiveSettings settings) => ClientLimits.Default with
    {
        SilentAfter = TimeSpan.FromMilliseconds(settings.Get(ChannelExpiredTimeout)),
        RememberFor = TimeSpan.FromMilliseconds(settings.Get(SubscriptionExpiredTimeout)),
    };
}
