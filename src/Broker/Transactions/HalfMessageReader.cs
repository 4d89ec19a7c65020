using System.Buffers.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Transactions;

/// <summary>What the properties of a half message's record say (RocketMQ: TransactionalMessageServiceImpl.check).</summary>
internal static class HalfMessageReader
{
    private const long MsPerSecond = 1000;

    /// <summary>The offset by which the transaction is known: that of the record which the producer sent.</summary>
    public static long RootOf(in StoredMessage message) =>
        message.PreparedTransactionOffset > 0 ? message.PreparedTransactionOffset : message.PhysicalOffset;

    /// <summary>How often the transaction had been checked when this record was stored; null as long as nobody has counted.</summary>
    public static int? FindChecks(in StoredMessage message) =>
        message.TryGetProperty(MessagePropertyUtf8.TransactionCheckTimes, out ReadOnlySpan<byte> text) && TryParse(text, out long times)
            ? (int)Math.Clamp(times, 0, int.MaxValue)
            : null;

    /// <summary>When to ask about a transaction, ms after this record was stored.</summary>
    public static long WaitMsOf(in StoredMessage message, TransactionOptions options) => FindChecks(in message) switch
    {
        null => ImmunityMsOf(in message, options),
        // An administrator has let the counting begin again.
        0 => 0,
        _ => options.CheckIntervalMs.Value,
    };

    /// <summary>When to ask about a transaction for the first time, ms after it was stored.</summary>
    public static long ImmunityMsOf(in StoredMessage message, TransactionOptions options)
    {
        // RocketMQ, too, asks earlier than at its time-out where the producer says so, and takes -1 for nothing said.
        if (!message.TryGetProperty(MessagePropertyUtf8.CheckImmunityTimeSeconds, out ReadOnlySpan<byte> text)
            || !TryParse(text, out long seconds)
            || seconds == -1)
        {
            return options.TimeoutMs.Value;
        }

        return Math.Clamp(seconds, 0, options.ReservedMs / MsPerSecond) * MsPerSecond;
    }

    /// <summary>
    /// How long a producer may end the transaction unasked, ms after it was stored; null for ever (RocketMQ:
    /// EndTransactionProcessor.rejectCommitOrRollback).
    /// </summary>
    public static long? MayEndUnaskedMs(in StoredMessage message, TransactionOptions options)
    {
        if (!message.TryGetProperty(MessagePropertyUtf8.CheckImmunityTimeSeconds, out ReadOnlySpan<byte> text))
        {
            return null;
        }

        long immunityMs = TryParse(text, out long seconds)
            ? Math.Clamp(seconds, 0, options.ReservedMs / MsPerSecond) * MsPerSecond
            : 0;
        return Math.Max(immunityMs, options.TimeoutMs.Value);
    }

    /// <summary>What the message was sent to; empty in a record that RocketMQ cannot have written.</summary>
    public static ReadOnlySpan<byte> TopicOf(in StoredMessage message) =>
        message.TryGetProperty(MessagePropertyUtf8.RealTopic, out ReadOnlySpan<byte> topic) ? topic : default;

    /// <summary>The queue that the message was sent to; -1 in a record that RocketMQ cannot have written.</summary>
    public static int QueueIdOf(in StoredMessage message) =>
        message.TryGetProperty(MessagePropertyUtf8.RealQueueId, out ReadOnlySpan<byte> text)
            && TryParse(text, out long queueId) && queueId is >= 0 and <= int.MaxValue
            ? (int)queueId
            : -1;

    /// <summary>A whole number in decimal digits, with nothing behind it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out int read) && read == text.Length;
}
