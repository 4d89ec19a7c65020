using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Timers;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Takes back pending messages with times of their own: appends to the timer topic what RocketMQ appends to have a message deleted, with
/// a pointer at the very record, which removes it from the pending ones.
/// </summary>
internal sealed class TimerRecall(
    MessageStore store, TimerStore timers, MessageIntake intake, TopicTable topics, TimeProvider time)
{
    // RocketMQ: RECALL_MESSAGE_TAG.
    private const string Tag = "_RECALL_TAG_";

    // Messages with one unique key: a key is given once, so this is for producers that number their own.
    private const int MaxMatches = 64;

    // TIMER_OUT_MS is rounded down to at most this, and exact again once the message was rolled.
    private const long MaxPrecisionMs = 1000;

    // How long the queue and index may lag behind the reply to the send.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly ReadOnlySequence<byte> Body = new("0"u8.ToArray());

    /// <summary>Recalls the messages of a handle.</summary>
    /// <param name="bornHost">Who recalls.</param>
    /// <param name="mayWait">Whether to wait for a message that was just sent, or that somebody is at.</param>
    /// <param name="result">The last append, to be flushed; meaningless if there was none.</param>
    /// <returns>Recalled also if it was before.</returns>
    public RecallOutcome Recall(RecallHandle handle, string? producerGroup, MessageHost bornHost, bool mayWait, out AppendResult result)
    {
        result = default;
        if (!store.IsCaughtUp)
        {
            // It may have been delivered.
            return RecallOutcome.Refused;
        }

        if (mayWait)
        {
            WaitForDispatch();
        }

        timers.Apply(maxRemovals: 0);
        byte[] topic = Encoding.UTF8.GetBytes(handle.Topic);
        RecallOutcome outcome = RecallOutcome.NotFound;
        using var slices = new MessageSlices();
        foreach (long offset in Find(handle))
        {
            if (!TryRead(offset, slices, out StoredMessage message) || !IsMeant(message, topic, handle))
            {
                continue;
            }

            RecallOutcome one = RecallOne(message, handle, producerGroup, bornHost, mayWait, ref result);
            if (one == RecallOutcome.Refused)
            {
                return one;
            }

            // A message that was rolled has two records, of which one can be recalled.
            outcome = outcome == RecallOutcome.Recalled ? outcome : one;
        }

        return outcome;
    }

    private RecallOutcome RecallOne(
        in StoredMessage message,
        RecallHandle handle,
        string? producerGroup,
        MessageHost bornHost,
        bool mayWait,
        ref AppendResult result)
    {
        long startedAt = Stopwatch.GetTimestamp();
        var wait = default(SpinWait);
        while (true)
        {
            switch (timers.Find(message, out TimerEntry entry))
            {
                case TimerStanding.Settled:
                    return WasRecalled(handle, message.PhysicalOffset, mayWait) ? RecallOutcome.Recalled : RecallOutcome.TooLate;
                case TimerStanding.Pending when timers.TryTake(entry, TimerStore.RealTopicOf(message)):
                    result = Append(handle, producerGroup, bornHost, message.PhysicalOffset);
                    if (result.IsOk)
                    {
                        return RecallOutcome.Recalled;
                    }

                    timers.GiveBack(entry);
                    return RecallOutcome.Refused;
                case TimerStanding.Taken when !mayWait || Stopwatch.GetElapsedTime(startedAt) >= Patience:
                    // What becomes of it is not known yet.
                    return RecallOutcome.Refused;
                default:
                    wait.SpinOnce();
                    break;
            }
        }
    }

    // The log tells: what settles a message and deletes it is a recall.
    private bool WasRecalled(RecallHandle handle, long messageOffset, bool mayWait)
    {
        if (mayWait)
        {
            WaitForDispatch();
        }

        using var slices = new MessageSlices();
        foreach (long offset in Find(handle))
        {
            if (TryRead(offset, slices, out StoredMessage message)
                && message.PreparedTransactionOffset == ~messageOffset
                && message.TryGetProperty(MessagePropertyUtf8.TimerDeleteUniqueKey, out _))
            {
                return true;
            }
        }

        return false;
    }

    // A recall is found by the same key as what it recalls.
    private IReadOnlyList<long> Find(RecallHandle handle) =>
        store.QueryByKey(TopicNames.WheelTimer, handle.UniqueKey, MaxMatches, 0, long.MaxValue).PhysicalOffsets;

    private bool TryRead(long offset, MessageSlices slices, out StoredMessage message)
    {
        message = default;
        return store.TryReadMessage(offset, slices) && StoredMessage.TryRead(slices[0], out message, out _);
    }

    private AppendResult Append(RecallHandle handle, string? producerGroup, MessageHost bornHost, long offset)
    {
        if (topics.Find(TopicNames.WheelTimer) is not { } topic)
        {
            return new AppendResult(AppendStatus.ServiceNotAvailable, 0, 0, 0, 0);
        }

        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var properties = new MessagePropertiesEditor(default);
        try
        {
            properties.Set(MessagePropertyUtf8.Tags, Encoding.UTF8.GetBytes(Tag));
            properties.Set(MessagePropertyUtf8.TimerDeleteUniqueKey, Encoding.UTF8.GetBytes($"{handle.Topic}+{handle.UniqueKey}"));
            properties.Set(MessagePropertyUtf8.UniqueKey, Encoding.UTF8.GetBytes(handle.UniqueKey));
            properties.Set(MessagePropertyUtf8.TimerDeliverMs, handle.TimeMs);
            properties.Set(MessagePropertyUtf8.BornTimestamp, nowMs);
            properties.Set(MessagePropertyUtf8.ProducerGroup, Encoding.UTF8.GetBytes(producerGroup ?? ""));
            properties.Set(MessagePropertyUtf8.TimerOutMs, handle.TimeMs - 1);
            properties.Set(MessagePropertyUtf8.RealTopic, Encoding.UTF8.GetBytes(handle.Topic));
            properties.Set(MessagePropertyUtf8.RealQueueId, 0);
            return intake.Append(topic, 0, new MessageAppend
            {
                Body = Body,
                Properties = properties.Bytes,
                BornTimestampMs = nowMs,
                BornHost = bornHost,
                StoreHost = intake.StoreHost,
                PreparedTransactionOffset = ~offset,
            });
        }
        finally
        {
            properties.Dispose();
        }
    }

    private static bool IsMeant(in StoredMessage message, ReadOnlySpan<byte> topic, in RecallHandle handle) =>
        TimerStore.RealTopicOf(message).SequenceEqual(topic)
        && !message.TryGetProperty(MessagePropertyUtf8.TimerDeleteUniqueKey, out _)
        && message.TryGetProperty(MessagePropertyUtf8.TimerOutMs, out ReadOnlySpan<byte> digits)
        && Utf8Parser.TryParse(digits, out long outMs, out _)
        && outMs >= handle.TimeMs - 1
        && outMs < handle.TimeMs - 1 + MaxPrecisionMs;

    // Whoever has the handle has the reply to the send, but the message may not be among the pending ones yet.
    private void WaitForDispatch()
    {
        // This thread may have appended and not announced it yet.
        store.AnnounceAppended();
        long target = store.MaxPhysicalOffset;
        long startedAt = Stopwatch.GetTimestamp();
        var wait = default(SpinWait);
        while (store.DispatchedOffset < target && Stopwatch.GetElapsedTime(startedAt) < Patience)
        {
            wait.SpinOnce();
        }
    }
}

/// <summary>What became of a recall.</summary>
internal enum RecallOutcome
{
    /// <summary>The message will not be delivered.</summary>
    Recalled,

    /// <summary>There is no such message.</summary>
    NotFound,

    /// <summary>It was delivered.</summary>
    TooLate,

    /// <summary>The store takes nothing now.</summary>
    Refused,
}
