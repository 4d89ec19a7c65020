using System.Buffers.Text;
using System.Globalization;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Store.Timers;

/// <summary>
/// Tells when a record of the schedule topic or the timer topic is due: a function of the record and the settings alone, so that the
/// log can be read again. RocketMQ delivers at the end of a wheel slot; here the time that the producer has asked for counts, of which
/// TIMER_OUT_MS is only the slot.
/// </summary>
/// <param name="levels">The delays of the levels.</param>
/// <param name="rollWindowMs">Messages that are due later than this after they were stored are stored anew in between.</param>
public sealed class DueRule(DelayLevels levels, long rollWindowMs)
{
    // TIMER_OUT_MS is the producer's time rounded down to at most this (RocketMQ: timerPrecisionMs).
    private const long MaxPrecisionMs = 1000;

    // The end of the year 9999: what lies beyond is no time.
    private const long MaxTimeMs = 253_402_300_799_999;

    private const char PartSeparator = ';';

    private static ReadOnlySpan<byte> ScheduleUtf8 => "SCHEDULE_TOPIC_XXXX"u8;

    private static ReadOnlySpan<byte> WheelTimerUtf8 => "rmq_sys_wheel_timer"u8;

    /// <summary>Does the topic hold pending messages?</summary>
    public static bool IsTimerTopic(ReadOnlySpan<byte> topic) => IsSchedule(topic) || topic.SequenceEqual(WheelTimerUtf8);

    /// <summary>Is it <see cref="TopicNames.Schedule"/>?</summary>
    public static bool IsSchedule(ReadOnlySpan<byte> topic) => topic.SequenceEqual(ScheduleUtf8);

    /// <summary>Reads back what <see cref="ToString"/> has written; null if that is none.</summary>
    public static DueRule? TryParse(string text) =>
        text.Split(PartSeparator) is [string levelText, string windowText]
        && DelayLevels.TryParse(levelText) is { } levels
        && long.TryParse(windowText, NumberStyles.None, CultureInfo.InvariantCulture, out long windowMs)
            ? new DueRule(levels, windowMs)
            : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{levels.Text}{PartSeparator}{rollWindowMs}");

    /// <summary>
    /// When a record is due; false if it is no pending message: of another topic, without a time, or one that asks for another to be
    /// deleted.
    /// </summary>
    public bool TryRead(in StoredMessage message, out TimerEntry entry)
    {
        entry = default;
        if (IsSchedule(message.Topic))
        {
            byte queueLevel = (byte)Math.Clamp(message.QueueId + 1, 1, DelayLevels.MaxLevels);
            long waitMs = levels.DelayMs(LevelOf(message));
            entry = new TimerEntry(message.StoreTimestampMs + waitMs, message.PhysicalOffset, queueLevel, false);
            return true;
        }

        if (!message.Topic.SequenceEqual(WheelTimerUtf8)
            || !TryReadNumber(message, MessagePropertyUtf8.TimerOutMs, out long outMs)
            || outMs is < 0 or > MaxTimeMs
            || message.TryGetProperty(MessagePropertyUtf8.TimerDeleteUniqueKey, out _))
        {
            return false;
        }

        long dueMs = DeliverMs(message, outMs);
        long waitsMs = dueMs - message.StoreTimestampMs;
        entry = waitsMs < rollWindowMs
            ? new TimerEntry(dueMs, message.PhysicalOffset, 0, false)
            : new TimerEntry(message.StoreTimestampMs + RollAfterMs(waitsMs), message.PhysicalOffset, 0, true);
        return true;
    }

    /// <summary>When a record of the timer topic is to be delivered, however often it is rolled before.</summary>
    public static long DeliverMs(in StoredMessage message) =>
        TryReadNumber(message, MessagePropertyUtf8.TimerOutMs, out long outMs) ? DeliverMs(message, outMs) : message.StoreTimestampMs;

    // Levels that there were once count as the highest.
    private int LevelOf(in StoredMessage message)
    {
        int level = TryReadNumber(message, MessagePropertyUtf8.DelayTimeLevel, out long written) && written > 0
            ? (int)Math.Min(written, DelayLevels.MaxLevels)
            : message.QueueId + 1;
        return Math.Clamp(level, 1, levels.Max);
    }

    // The last stretch is not to be a short one (RocketMQ: TimerMessageStore.doEnqueue).
    private long RollAfterMs(long waitsMs) =>
        waitsMs - rollWindowMs < rollWindowMs / 3 ? rollWindowMs / 2 : rollWindowMs;

    private static long DeliverMs(in StoredMessage message, long outMs) =>
        Math.Clamp(AskedForMs(message, outMs), outMs + 1, outMs + MaxPrecisionMs);

    private static long AskedForMs(in StoredMessage message, long outMs)
    {
        if (message.TryGetProperty(MessagePropertyUtf8.TimerDelaySeconds, out ReadOnlySpan<byte> digits))
        {
            return SinceStored(message, digits, 1000, outMs);
        }

        if (message.TryGetProperty(MessagePropertyUtf8.TimerDelayMs, out digits))
        {
            return SinceStored(message, digits, 1, outMs);
        }

        return TryReadNumber(message, MessagePropertyUtf8.TimerDeliverMs, out long deliverMs) ? deliverMs : outMs + MaxPrecisionMs;
    }

    // A message that was rolled was stored later than it was sent: what is known of its time is the slot, which here is exact.
    private static long SinceStored(in StoredMessage message, ReadOnlySpan<byte> digits, long unitMs, long outMs)
    {
        if (message.TryGetProperty(MessagePropertyUtf8.TimerRollTimes, out _))
        {
            return message.PreparedTransactionOffset != 0 ? outMs + 1 : outMs + MaxPrecisionMs;
        }

        return TryReadNumber(digits, out long delay) && delay >= 0 && delay <= MaxTimeMs / unitMs
            ? message.StoreTimestampMs + (delay * unitMs)
            : outMs + MaxPrecisionMs;
    }

    private static bool TryReadNumber(in StoredMessage message, ReadOnlySpan<byte> name, out long value)
    {
        value = 0;
        return message.TryGetProperty(name, out ReadOnlySpan<byte> digits) && TryReadNumber(digits, out value);
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> digits, out long value) =>
        Utf8Parser.TryParse(digits, out value, out int read) && read == digits.Length;
}
