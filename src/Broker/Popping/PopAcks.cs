using System.Runtime.CompilerServices;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// What consumers say of messages that they have in hand: beneath the handlers that read it. Codes and remarks are those of RocketMQ's
/// AckMessageProcessor and ChangeInvisibleTimeProcessor.
/// </summary>
internal sealed class PopAcks(
    PopAccess access, PopState state, PopOffsets offsets, MessageStore store, ReadOnlyMemory<byte> brokerName, TimeProvider time)
{
    // %RETRY%group_topic, of the longest names that there are.
    private const int MaxRetryTopicBytes = 480;

    private readonly PopStore _pops = state.CheckPoints;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Reads a handle of a message.</summary>
    /// <exception cref="RemotingException">
    /// The offset is none of the queue (NO_MESSAGE), or the handle is not one of this message and of this broker (MESSAGE_ILLEGAL).
    /// </exception>
    public PopHandle Read(ReadOnlySpan<byte> text, Topic topic, int queueId, long offset)
    {
        LogicQueue? queue = store.FindQueue(topic.NameUtf8.Span, queueId);
        (long min, long max) = (queue?.MinOffset ?? 0, queue?.MaxOffset ?? 0);
        if (offset < min || offset >= max)
        {
            throw new RemotingException(
                ResponseCode.NoMessage, $"offset is illegal, key:{topic.Name}@{queueId}, commit:{offset}, store:{min}~{max}");
        }

        return PopHandle.TryParse(text, out PopHandle handle)
            && handle.QueueId == queueId
            && (handle.QueueOffset < 0 || handle.QueueOffset == offset)
            && handle.BrokerName.SequenceEqual(brokerName.Span)
                ? handle
                : throw new RemotingException(
                    ResponseCode.MessageIllegal, "the handle is not one of this queue, this offset and this broker");
    }

    /// <summary>
    /// Acks a message. <paramref name="ack"/> is told when that is in the database, maybe along with others': <see cref="WriteAcks"/> is to be
    /// called soon.
    /// </summary>
    /// <exception cref="RemotingException">The group does not have it in hand (any more): NO_MESSAGE; nothing has happened.</exception>
    public void Ack(ReadOnlySpan<byte> group, Topic topic, in PopHandle handle, long offset, PopAck ack)
    {
        PopQueue queue = Find(group, topic, handle.QueueId, offset);
        if (!handle.IsOrdered)
        {
            if (!_pops.TryAck(queue, new CheckPointId(handle.StartOffset, handle.PopTimeMs), offset, ack))
            {
                throw NotInHand(topic, handle.QueueId, offset);
            }

            return;
        }

        if (AckOrdered(queue, group, topic, handle.PopTimeMs, offset, [1]) == 0)
        {
            throw NotInHand(topic, handle.QueueId, offset);
        }

        ack.Completed(null);
    }

    /// <summary>Writes the acks of single messages that have not been written yet.</summary>
    public void WriteAcks() => _pops.WriteAcks();

    /// <summary>Acks messages of a batch.</summary>
    /// <returns>How many of them were in hand.</returns>
    [SkipLocalsInit]
    public int Ack(in BatchAckEntry ack)
    {
        Span<byte> retryName = stackalloc byte[MaxRetryTopicBytes];
        ReadOnlySpan<byte> name = ack.Kind == PopHandle.Normal ? ack.Topic : RetryName(in ack, retryName);
        if (name.IsEmpty
            || access.FindTopic(name) is not { } topic
            || _pops.Topics.Find(ack.ConsumerGroup, name)?.FindQueue(ack.QueueId) is not { } queue)
        {
            return 0;
        }

        return ack.ReviveQueueId == PopHandle.OrderedReviveQueueId
            ? AckOrdered(queue, ack.ConsumerGroup, topic, ack.PopTimeMs, ack.StartOffset, ack.Bits)
            : _pops.Ack(queue, new CheckPointId(ack.StartOffset, ack.PopTimeMs), ack.Bits);
    }

    /// <summary>Gives a message a new time, from now on.</summary>
    /// <returns>What its new handle says: when it was popped and how long it is invisible.</returns>
    /// <exception cref="RemotingException">The group does not have it in hand (any more): NO_MESSAGE; nothing has happened.</exception>
    public (long PopTimeMs, long InvisibleMs) Change(
        ReadOnlySpan<byte> group, Topic topic, in PopHandle handle, long offset, long invisibleMs)
    {
        access.CheckInvisible(invisibleMs, least: 0);
        PopQueue queue = Find(group, topic, handle.QueueId, offset);
        long now = NowMs;
        if (handle.IsOrdered)
        {
            return _pops.Ordered.TryChange(queue, handle.PopTimeMs, offset, now + invisibleMs)
                ? (handle.PopTimeMs, now + invisibleMs - handle.PopTimeMs)
                : throw NotInHand(topic, handle.QueueId, offset);
        }

        var id = new CheckPointId(handle.StartOffset, handle.PopTimeMs);
        return _pops.TryChange(queue, id, offset, now, invisibleMs, out CheckPointId changed)
            ? (changed.PopTimeMs, invisibleMs)
            : throw NotInHand(topic, handle.QueueId, offset);
    }

    /// <summary>
    /// Has a message stay invisible for a time from now on at least, and with it those in hand that were popped with it; its handle goes on to
    /// count, also after a restart.
    /// </summary>
    /// <inheritdoc cref="Change"/>
    public void Prolong(ReadOnlySpan<byte> group, Topic topic, in PopHandle handle, long offset, long invisibleMs)
    {
        if (handle.IsOrdered)
        {
            // The handles of such messages count until their batch is over.
            Change(group, topic, in handle, offset, invisibleMs);
            return;
        }

        access.CheckInvisible(invisibleMs, least: 0);
        PopQueue queue = Find(group, topic, handle.QueueId, offset);
        if (!_pops.TryProlong(queue, new CheckPointId(handle.StartOffset, handle.PopTimeMs), offset, NowMs + invisibleMs))
        {
            throw NotInHand(topic, handle.QueueId, offset);
        }
    }

    private static ReadOnlySpan<byte> RetryName(in BatchAckEntry ack, Span<byte> buffer)
    {
        ReadOnlySpan<byte> prefix = "%RETRY%"u8;
        int length = prefix.Length + ack.ConsumerGroup.Length + 1 + ack.Topic.Length;
        if (ack.Kind is not (PopHandle.Retry or PopHandle.RetrySecondForm) || length > buffer.Length)
        {
            return default;
        }

        prefix.CopyTo(buffer);
        ack.ConsumerGroup.CopyTo(buffer[prefix.Length..]);
        int at = prefix.Length + ack.ConsumerGroup.Length;
        buffer[at++] = ack.Kind == PopHandle.Retry ? (byte)'_' : (byte)'+';
        ack.Topic.CopyTo(buffer[at..]);
        return buffer[..length];
    }

    private static RemotingException NotInHand(Topic topic, int queueId, long offset) =>
        new(ResponseCode.NoMessage, $"the message is not in hand (any more), key:{topic.Name}@{queueId}, offset:{offset}");

    private PopQueue Find(ReadOnlySpan<byte> group, Topic topic, int queueId, long offset) =>
        _pops.Topics.Find(group, topic.NameUtf8.Span)?.FindQueue(queueId) ?? throw NotInHand(topic, queueId, offset);

    private int AckOrdered(
        PopQueue queue, ReadOnlySpan<byte> group, Topic topic, long popTimeMs, long startOffset, ReadOnlySpan<byte> bits)
    {
        int acked;
        bool free;
        lock (queue.Gate)
        {
            acked = _pops.Ordered.Ack(queue, popTimeMs, startOffset, bits);
            if (acked == 0)
            {
                return 0;
            }

            offsets.Tell(group, topic.NameUtf8.Span, queue);
            free = queue.Ordered is not { } ordered || !ordered.Blocks(NowMs);
        }

        if (free && state.Targets.Find(group, topic.NameUtf8.Span) is { } target)
        {
            state.Parked.WakeOne(target, queue.QueueId);
        }

        return acked;
    }
}
