using GrayMQ.Settings;

namespace GrayMQ.Broker.Filtering;

/// <summary>The settings of filtering by conditions on properties.</summary>
internal static class FilterSettings
{
    /// <summary>Whether subscriptions are indexed; without, each condition is evaluated for each message and group.</summary>
    public static readonly SettingDefinition<bool> FilterIndex =
        Setting.Choice(
            "filterIndex",
            true,
            "Whether a message is matched once with all SQL92 and HEADER subscriptions of its topic, or by each group for itself",
            ("on", true),
            ("off", false));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } = [FilterIndex];
}
