using GrayMQ.Store.Timers;

namespace GrayMQ.Broker.Delays;

/// <summary>How messages are delayed, under RocketMQ's names.</summary>
internal sealed record DelayOptions
{
    /// <summary>RocketMQ: messageDelayLevel.</summary>
    public DelayLevels Levels { get; init; } = DelayLevels.Parse(DelayLevels.Default);

    /// <summary>May messages have times of their own? (RocketMQ: timerWheelEnable)</summary>
    public bool TimesEnabled { get; init; } = true;

    /// <summary>RocketMQ: timerMaxDelaySec.</summary>
    public int MaxDelaySeconds { get; init; } = 3 * 24 * 3600;

    /// <summary>What TIMER_OUT_MS and recall handles are rounded to; delivery is not (RocketMQ: timerPrecisionMs).</summary>
    public int PrecisionMs { get; init; } = 1000;

    /// <summary>Messages that wait longer are stored anew in between (RocketMQ: timerRollWindowSlot, in slots of a second).</summary>
    public long RollWindowMs { get; init; } = 2 * 24 * 3_600_000L;

    /// <summary>RocketMQ: recallMessageEnable, which is off there.</summary>
    public bool RecallEnabled { get; init; } = true;

    /// <summary>RocketMQ: allowRecallWhenBrokerNotWriteable.</summary>
    public bool RecallWhenNotWritable { get; init; } = true;
}
