using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.ObjectPool;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// What consumers say of messages that they popped: ACK_MESSAGE (200051), BATCH_ACK_MESSAGE (200151) and CHANGE_MESSAGE_INVISIBLETIME
/// (200053). A handle that is none is answered MESSAGE_ILLEGAL; one that holds no message (any more), because it was acked, its
/// time is up or it never was, NO_MESSAGE, and nothing has happened.
/// </summary>
internal sealed class AckHandler(PopAccess access, PopAcks acks)
{
    private const int MaxPooled = 4096;

    private readonly ObjectPool<PendingAck> _pending = PendingAck.Pool(MaxPooled);

    public ValueTask AckAsync(RemotingRequest request, AckMessageHeader header)
    {
        try
        {
            Ack(in request, in header);
        }
        finally
        {
            if (!header.IsFollowed)
            {
                // This one, and those before it that said that it would follow, whatever became of it.
                acks.WriteAcks();
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask BatchAckAsync(RemotingRequest request, NoHeader header)
    {
        if (request.Body.IsEmpty)
        {
            throw new RemotingException(ResponseCode.NoMessage, "the batch has no acks");
        }

        int acked = 0;
        using var batch = new BatchAckReader(request.Body);
        while (batch.TryRead(out BatchAckEntry ack))
        {
            acked += acks.Ack(in ack);
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
        Topic topic = access.FindTopic(header.Topic, header.QueueId, request.Connection.RemoteEndPoint);
        PopHandle handle = acks.Read(header.ExtraInfo.Span, topic, header.QueueId, header.Offset);
        if (header.KeepsHandle)
        {
            acks.Prolong(header.ConsumerGroup.Span, topic, in handle, header.Offset, header.InvisibleTimeMs);
            request.Responder.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        }

        (long popTime, long invisible) = acks.Change(
            header.ConsumerGroup.Span, topic, in handle, header.Offset, header.InvisibleTimeMs);
        request.Responder.Reply(new ChangeInvisibleTimeResponseHeader
        {
            PopTimeMs = popTime,
            InvisibleTimeMs = invisible,
            ReviveQueueId = handle.ReviveQueueId,
        });
        return ValueTask.CompletedTask;
    }

    private void Ack(in RemotingRequest request, in AckMessageHeader header)
    {
        Topic topic = access.FindTopic(header.Topic, header.QueueId, request.Connection.RemoteEndPoint);
        PopHandle handle = acks.Read(header.ExtraInfo.Span, topic, header.QueueId, header.Offset);

        // Answered when it is written, which may be along with others'.
        PendingAck ack = _pending.Get();
        ack.Responder = request.Responder;
        acks.Ack(header.ConsumerGroup.Span, topic, in handle, header.Offset, ack);
    }

    /// <summary>An ack whose sender waits for the answer.</summary>
    private sealed class PendingAck : PopAck
    {
        private ObjectPool<PendingAck> _pool = null!;

        public Responder Responder { get; set; }

        public static ObjectPool<PendingAck> Pool(int most)
        {
            var policy = new Policy();
            return policy.Pool = new DefaultObjectPool<PendingAck>(policy, most);
        }

        public override void Completed(KeyValueStoreException? failure)
        {
            Responder responder = Responder;
            Responder = default;
            _pool.Return(this);
            if (failure is null)
            {
                responder.Reply(ResponseCode.Success);
            }
            else
            {
                responder.Reply(ResponseCode.SystemError, failure.Message);
            }
        }

        private sealed class Policy : PooledObjectPolicy<PendingAck>
        {
            public ObjectPool<PendingAck> Pool { get; set; } = null!;

            public override PendingAck Create() => new() { _pool = Pool };

            public override bool Return(PendingAck obj) => true;
        }
    }
}
