using GrayMQ.Broker.Delays;
using GrayMQ.Settings;
using GrayMQ.Store;
using GrayMQ.Store.Timers;

namespace GrayMQ.Broker;

/// <summary>The settings of delayed messages, under their RocketMQ names.</summary>
internal static class DelaySettings
{
    private const int MaxPrecisionMs = 1000;

    private static readonly DelayOptions Defaults = new();

    private static readonly SettingDefinition<string> MessageDelayLevel =
        Setting.Text("messageDelayLevel", DelayLevels.Default, "How long messages wait at each delay level, from 1 on") with
        {
            Check = text => DelayLevels.TryParse(text) is null
                ? $"1 to {DelayLevels.MaxLevels} times such as 1s 5m 2h 1d, separated by blanks"
                : null,
        };

    private static readonly SettingDefinition<bool> TimerWheelEnable =
        Setting.Boolean("timerWheelEnable", Defaults.TimesEnabled, "Messages may name the time of their delivery");

    private static readonly SettingDefinition<int> TimerMaxDelaySec =
        Setting.Int32("timerMaxDelaySec", Defaults.MaxDelaySeconds, "How far ahead that time may lie", 1) with
        {
            Unit = "s",
        };

    private static readonly SettingDefinition<int> TimerPrecisionMs =
        Setting.Int32(
            "timerPrecisionMs",
            Defaults.PrecisionMs,
            "What TIMER_OUT_MS and recall handles are rounded down to; delivery is not",
            1,
            MaxPrecisionMs) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> TimerRollWindowSlot =
        Setting.Int32(
            "timerRollWindowSlot",
            (int)(Defaults.RollWindowMs / 1000),
            "Messages that wait longer are stored anew in between, so that the log has them; at most half of fileReservedTime",
            2) with
        {
            Unit = "s",
        };

    private static readonly SettingDefinition<bool> RecallMessageEnable =
        Setting.Boolean("recallMessageEnable", Defaults.RecallEnabled, "Delayed messages can be recalled");

    private static readonly SettingDefinition<bool> AllowRecallWhenBrokerNotWriteable =
        Setting.Boolean(
            "allowRecallWhenBrokerNotWriteable", Defaults.RecallWhenNotWritable, "They can also while brokerPermission forbids sending");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        MessageDelayLevel, TimerWheelEnable, TimerMaxDelaySec, TimerPrecisionMs, TimerRollWindowSlot, RecallMessageEnable,
        AllowRecallWhenBrokerNotWriteable,
    ];

    public static DelayOptions Options(EffectiveSettings settings) => new()
    {
        Levels = DelayLevels.Parse(settings.Get(MessageDelayLevel)),
        TimesEnabled = settings.Get(TimerWheelEnable),
        MaxDelaySeconds = settings.Get(TimerMaxDelaySec),
        PrecisionMs = settings.Get(TimerPrecisionMs),
        RollWindowMs = RollWindowMs(settings.Get(TimerRollWindowSlot), StoreSettings.ToOptions(settings)),
        RecallEnabled = settings.Get(RecallMessageEnable),
        RecallWhenNotWritable = settings.Get(AllowRecallWhenBrokerNotWriteable),
    };

    // A log file goes when its newest message is as old as this: half of it leaves time to roll the oldest.
    private static long RollWindowMs(int slots, StoreOptions store) =>
        Math.Min(slots * 1000L, store.FileReservedHours * 3_600_000L / 2);
}
