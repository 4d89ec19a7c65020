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
    /// <param name="mayWait">Whether to wait for a message that was just sent.</param>
    /// <param name="result">The last append, to be flushed; meaningless if there was none.</param>
    /// <returns>Recalled also if it was before.</returns>
    public RecallOutcome Recall(RecallHandle handle, string? producerGroup, MessageHost bornHost, bool mayWait, out AppendResult result)
    {
        result = default;
        if (mayWait)
        {
            WaitForDispatch();
        }

        timers.Apply();
        byte[] topic = Encoding.UTF8.GetBytes(handle.Topic);
        bool found = false;
        using var slices = new MessageSlices();
        foreach (long offset in store.QueryByKey(TopicNames.WheelTimer, handle.UniqueKey, MaxMatches, 0, long.MaxValue).PhysicalOffsets)
        {
            if (!store.TryReadMessage(offset, slices)
                || !StoredMessage.TryRead(slices[0], out StoredMessage message, out _)
                || !IsMeant(message, topic, handle))
            {
                continue;
            }

            found = true;
            if (!timers.TryFind(message, out TimerEntry entry) || !timers.TryTake(entry, topic))
            {
                // Recalled before: it cannot have been delivered, for its time has not come.
                continue;
            }

            result = Append(handle, producerGroup, bornHost, offset);
            if (!result.IsOk)
            {
                timers.GiveBack(entry);
                return RecallOutcome.Refused;
            }
        }

        return found ? RecallOutcome.Recalled : RecallOutcome.NotFound;
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

    /// <summary>The store takes nothing now.</summary>
    Refused,
}
