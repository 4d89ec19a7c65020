using System.Runtime.CompilerServices;
using System.Text;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.ObjectPool;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// What consumers say of messages that they popped: ACK_MESSAGE (200051), BATCH_ACK_MESSAGE (200151) and CHANGE_MESSAGE_INVISIBLETIME
/// (200053). A handle that is none is answered MESSAGE_ILLEGAL; one that holds no message (any more), because it was acked, its
/// time is up or it never was, NO_MESSAGE, and nothing has happened.
/// </summary>
internal sealed class AckHandler
{
    // %RETRY%group_topic, of the longest names that there are.
    private const int MaxRetryTopicBytes = 480;

    private const int MaxPooled = 4096;

    private readonly PopOptions _options;
    private readonly PopAccess _access;
    private readonly PopState _state;
    private readonly ConsumerOffsetTable _offsets;
    private readonly MessageStore _store;
    private readonly TimeProvider _time;
    private readonly PopStore _pops;
    private readonly byte[] _brokerName;
    private readonly ObjectPool<PendingAck> _pending;

    public AckHandler(
        PopOptions options, PopAccess access, PopState state, ConsumerOffsetTable offsets, MessageStore store, TimeProvider time)
    {
        _options = options;
        _access = access;
        _state = state;
        _offsets = offsets;
        _store = store;
        _time = time;
        _pops = state.CheckPoints;
        _brokerName = Encoding.UTF8.GetBytes(options.BrokerName);
        _pending = new DefaultObjectPool<PendingAck>(new PendingPolicy(this), MaxPooled);
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public ValueTask AckAsync(RemotingRequest request, AckMessageHeader header)
    {
        Topic topic = _access.FindTopic(header.Topic, header.QueueId, in request);
        CheckOffset(topic, header.QueueId, header.Offset);
        PopHandle handle = Parse(header.ExtraInfo.Span, header.QueueId, header.Offset);
        PoppedTopic? popped = _pops.FindTopic(header.ConsumerGroup.Span, topic.NameUtf8.Span);
        PopQueue queue = popped?.FindQueue(header.QueueId) ?? throw NotInHand(topic, header.QueueId, header.Offset);
        if (handle.IsOrdered)
        {
            if (!AckOrdered(queue, header.ConsumerGroup.Span, topic, handle.PopTimeMs, header.Offset))
            {
                throw NotInHand(topic, header.QueueId, header.Offset);
            }

            request.Responder.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        }

        // Answered when it is written, which may be along with others'.
        PendingAck ack = _pending.Get();
        ack.Set(request.Responder, queue);
        if (!_pops.TryAck(queue, new CheckPointId(handle.StartOffset, handle.PopTimeMs), header.Offset, ack))
        {
            _pending.Return(ack);
            throw NotInHand(topic, header.QueueId, header.Offset);
        }

        return ValueTask.CompletedTask;
    }

    [SkipLocalsInit]
    public ValueTask BatchAckAsync(RemotingRequest request, NoHeader header)
    {
        if (request.Body.IsEmpty)
        {
            throw new RemotingException(ResponseCode.NoMessage, "the batch has no acks");
        }

        int acked = 0;
        using var acks = new BatchAckReader(request.Body);
        while (acks.TryRead(out BatchAckEntry ack))
        {
            if (Find(in ack, out Topic? topic) is not { } queue)
            {
                continue;
            }

            int of = ack.ReviveQueueId == PopHandle.OrderedReviveQueueId
                ? AckOrdered(queue, topic!, in ack)
                : _pops.Ack(queue, new CheckPointId(ack.StartOffset, ack.PopTimeMs), ack.Bits);
            if (of > 0)
            {
                acked += of;
                WakeIfLimited(queue);
            }
        }

        if (acked == 0)
        {
            throw new RemotingException(ResponseCode.NoMessage, "none of the messages is in hand (any more)");
        }

        request.Responder.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask ChangeInvisibleTimeAsync(RemotingRequest request, ChangeInvisibleTimeHeader header)
    {
        Topic topic = _access.FindTopic(header.Topic, header.QueueId, in request);
        CheckOffset(topic, header.QueueId, header.Offset);
        PopHandle handle = Parse(header.ExtraInfo.Span, header.QueueId, header.Offset);
        PopMessageHandler.CheckInvisible(_options, header.InvisibleTimeMs, least: 0);
        PopQueue queue = _pops.FindTopic(header.ConsumerGroup.Span, topic.NameUtf8.Span)?.FindQueue(header.QueueId)
            ?? throw NotInHand(topic, header.QueueId, header.Offset);
        long now = NowMs;
        if (handle.IsOrdered)
        {
            long visible = now + header.InvisibleTimeMs;
            if (!_pops.TryChangeOrdered(queue, handle.PopTimeMs, header.Offset, visible))
            {
                throw NotInHand(topic, header.QueueId, header.Offset);
            }

            request.Responder.Reply(new ChangeInvisibleTimeResponseHeader
            {
                PopTimeMs = handle.PopTimeMs,
                InvisibleTimeMs = visible - handle.PopTimeMs,
                ReviveQueueId = handle.ReviveQueueId,
            });
        }
        else
        {
            var id = new CheckPointId(handle.StartOffset, handle.PopTimeMs);
            if (!_pops.TryChange(queue, id, header.Offset, now, header.InvisibleTimeMs, out CheckPointId changed))
            {
                throw NotInHand(topic, header.QueueId, header.Offset);
            }

            request.Responder.Reply(new ChangeInvisibleTimeResponseHeader
            {
                PopTimeMs = changed.PopTimeMs,
                InvisibleTimeMs = header.InvisibleTimeMs,
                ReviveQueueId = handle.ReviveQueueId,
            });
        }

        return ValueTask.CompletedTask;
    }

    private static RemotingException NotInHand(Topic topic, int queueId, long offset) =>
        new(ResponseCode.NoMessage, $"the message is not in hand (any more), key:{topic.Name}@{queueId}, offset:{offset}");

    private void CheckOffset(Topic topic, int queueId, long offset)
    {
        LogicQueue? queue = _store.FindQueue(topic.NameUtf8.Span, queueId);
        (long min, long max) = (queue?.MinOffset ?? 0, queue?.MaxOffset ?? 0);
        if (offset < min || offset >= max)
        {
            throw new RemotingException(
                ResponseCode.NoMessage, $"offset is illegal, key:{topic.Name}@{queueId}, commit:{offset}, store:{min}~{max}");
        }
    }

    private PopHandle Parse(ReadOnlySpan<byte> text, int queueId, long offset) =>
        PopHandle.TryParse(text, out PopHandle handle)
        && handle.QueueId == queueId
        && (handle.QueueOffset < 0 || handle.QueueOffset == offset)
        && handle.BrokerName.SequenceEqual(_brokerName)
            ? handle
            : throw new RemotingException(
                ResponseCode.MessageIllegal, "the handle is not one of this queue, this offset and this broker");

    [SkipLocalsInit]
    private PopQueue? Find(in BatchAckEntry ack, out Topic? topic)
    {
        Span<byte> retryName = stackalloc byte[MaxRetryTopicBytes];
        ReadOnlySpan<byte> name = ack.Kind == PopHandle.Normal ? ack.Topic : RetryName(in ack, retryName);
        topic = name.IsEmpty ? null : _access.FindTopic(name);
        return topic is null ? null : _pops.FindTopic(ack.ConsumerGroup, name)?.FindQueue(ack.QueueId);
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

    private int AckOrdered(PopQueue queue, Topic topic, in BatchAckEntry ack)
    {
        // Of a batch in order there are no more messages than it holds, however many bits are set.
        const int MaxBytes = 8192;
        int acked = 0;
        for (int i = 0; i < Math.Min(ack.Bits.Length, MaxBytes); i++)
        {
            for (int bits = ack.Bits[i], bit = 0; bits != 0; bits >>= 1, bit++)
            {
                if ((bits & 1) != 0 && AckOrdered(queue, ack.ConsumerGroup, topic, ack.PopTimeMs, ack.StartOffset + (i * 8) + bit))
                {
                    acked++;
                }
            }
        }

        return acked;
    }

    private bool AckOrdered(PopQueue queue, ReadOnlySpan<byte> group, Topic topic, long popTimeMs, long offset)
    {
        bool free;
        lock (queue.Gate)
        {
            if (_pops.AckOrdered(queue, popTimeMs, offset) is not long committed)
            {
                return false;
            }

            if (_offsets.Commit(group, topic.NameUtf8.Span, queue.QueueId, committed) == CommitOutcome.Committed)
            {
                queue.ToldOffset = committed;
            }

            free = queue.Ordered is not { } ordered || !ordered.Blocks(NowMs);
        }

        if (free && _state.Targets.Find(group, topic.NameUtf8.Span) is { } target)
        {
            _state.Parked.WakeOne(target, queue.QueueId);
        }

        return true;
    }

    private void Complete(PendingAck ack, KeyValueStoreException? failure)
    {
        (Responder responder, PopQueue queue) = ack.Take();
        _pending.Return(ack);
        if (failure is not null)
        {
            responder.Reply(ResponseCode.SystemError, failure.Message);
            return;
        }

        responder.Reply(ResponseCode.Success);
        WakeIfLimited(queue);
    }

    // Somebody may wait because the group had too much in hand.
    private void WakeIfLimited(PopQueue queue)
    {
        if (_options.MaxInFlight > 0
            && queue.InFlight < _options.MaxInFlight
            && _state.Targets.Find(queue.Group, queue.Topic) is { } target
            && target.TakeLimited())
        {
            _state.Parked.WakeOne(target, queue.QueueId);
        }
    }

    /// <summary>An ack whose sender waits for the answer.</summary>
    private sealed class PendingAck(AckHandler handler) : PopAck
    {
        private Responder _responder;
        private PopQueue? _queue;

        public void Set(Responder responder, PopQueue queue) => (_responder, _queue) = (responder, queue);

        public (Responder Responder, PopQueue Queue) Take()
        {
            (Responder, PopQueue) taken = (_responder, _queue!);
            (_responder, _queue) = (default, null);
            return taken;
        }

        public override void Completed(KeyValueStoreException? failure) => handler.Complete(this, failure);
    }

    private sealed class PendingPolicy(AckHandler handler) : PooledObjectPolicy<PendingAck>
    {
        public override PendingAck Create() => new(handler);

        public override bool Return(PendingAck obj) => true;
    }
}
