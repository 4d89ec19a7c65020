using GrayMQ.Settings;

namespace GrayMQ.Broker.Replies;

/// <summary>The settings of replies, under their RocketMQ names.</summary>
internal static class ReplySettings
{
    public static readonly SettingDefinition<bool> StoreReplyMessageEnable =
        Setting.Boolean("storeReplyMessageEnable", true, "Replies are stored as well as handed to who waits for them");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } = [StoreReplyMessageEnable];
}
