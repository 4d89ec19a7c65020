using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>
/// The consumer side of a scripted broker: it knows members by their heartbeats, remembers what is committed, and answers pulls by a
/// script; a pull that has none is kept unanswered.
/// </summary>
internal sealed class ScriptedGroup
{
    private ScriptedBroker _broker = null!;

    public ConcurrentQueue<PullMessageHeader> Pulls { get; } = new();

    public ConcurrentQueue<(string Topic, int QueueId, long Offset)> Commits { get; } = new();

    public ConcurrentQueue<ConsumerSendMessageBackHeader> SentBack { get; } = new();

    public ConcurrentQueue<UnlockBatchRequestBody> Unlocked { get; } = new();

    /// <summary>Where the group goes on; null when nothing is stored.</summary>
    public long? Stored { get; set; }

    /// <summary>Answers a pull; false keeps it.</summary>
    public Func<RemotingRequest, PullMessageHeader, bool> OnPull { get; set; } = (_, _) => false;

    /// <summary>Whether a queue may be locked.</summary>
    public Func<MessageQueue, bool> MayLock { get; set; } = _ => true;

    /// <summary>How messages that are given back are answered.</summary>
    public ResponseCode SendBackAnswer { get; set; } = ResponseCode.RequestCodeNotSupported;

    /// <summary>Overrides the members that are told.</summary>
    public Func<IEnumerable<string>, IEnumerable<string>> Members { get; set; } = ids => ids;

    /// <summary>Whoever sent the last heartbeat.</summary>
    public RemotingPeer? Consumer { get; private set; }

    public void AddTo(ScriptedBroker broker, RequestTable requests)
    {
        _broker = broker;
        broker.Script(RequestCode.Heartbeat, request =>
        {
            Consumer = request.Connection;
            return new(false);
        });
        requests
            .On<GetConsumerListByGroupHeader>(RequestCode.GetConsumerListByGroup, HandleMembers)
            .On<QueryConsumerOffsetHeader>(RequestCode.QueryConsumerOffset, HandleQueryOffset)
            .On<UpdateConsumerOffsetHeader>(RequestCode.UpdateConsumerOffset, HandleUpdateOffset)
            .On<PullMessageHeader>(RequestCode.PullMessage, HandlePull)
            .On<ConsumerSendMessageBackHeader>(RequestCode.ConsumerSendMessageBack, HandleSendBack)
            .On<NoHeader>(RequestCode.LockBatchMQ, HandleLock)
            .On<NoHeader>(RequestCode.UnlockBatchMQ, HandleUnlock);
    }

    /// <summary>Answers a pull with messages whose bodies are their offsets.</summary>
    public static void Reply(RemotingRequest request, PullMessageHeader pull, long next, params long[] offsets)
    {
        var body = new MemoryStream();
        foreach (long offset in offsets)
        {
            var fields = new StoredMessageFields
            {
                Topic = pull.Topic.Span,
                Properties = Encoding.UTF8.GetBytes($"UNIQ_KEY\u0001id{offset}\u0002"),
                QueueId = pull.QueueId,
                QueueOffset = offset,
                PhysicalOffset = offset * 1000,
                BornHost = MessageHost.FromV4(0x7F000001, 1),
                StoreHost = MessageHost.FromV4(0x7F000001, 10911),
            };
            byte[] text = Encoding.UTF8.GetBytes($"{offset}");
            byte[] record = new byte[StoredMessageWriter.RecordBytes(fields, text.Length)];
            StoredMessageWriter.Write(record, fields, new System.Buffers.ReadOnlySequence<byte>(text));
            body.Write(record);
        }

        Reply(request, ResponseCode.Success, next, body.ToArray());
    }

    public static void Reply(RemotingRequest request, ResponseCode code, long next, byte[]? body = null) =>
        request.Responder.Reply(
            code,
            null,
            new PullMessageResponseHeader { NextBeginOffset = next, MaxOffset = 1000 },
            new MemoryBody(body ?? []));

    private ValueTask HandleMembers(RemotingRequest request, GetConsumerListByGroupHeader header)
    {
        IEnumerable<string> ids = _broker.Heartbeats.Select(heartbeat => heartbeat.ClientId).Distinct();
        request.Reply(BodyCodec.Encode(new GetConsumerListByGroupResponseBody { ConsumerIdList = [.. Members(ids)] }));
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleQueryOffset(RemotingRequest request, QueryConsumerOffsetHeader header)
    {
        if (Stored is { } offset)
        {
            request.Reply(new OffsetResponseHeader(offset));
        }
        else
        {
            request.Reply(ResponseCode.QueryNotFound, "nothing stored");
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask HandleUpdateOffset(RemotingRequest request, UpdateConsumerOffsetHeader header)
    {
        Stored = header.CommitOffset;
        Commits.Enqueue((Encoding.UTF8.GetString(header.Topic.Span), header.QueueId, header.CommitOffset));
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private ValueTask HandlePull(RemotingRequest request, PullMessageHeader header)
    {
        // What the header points to lives in the connection's buffer.
        Pulls.Enqueue(header with { Topic = header.Topic.ToArray(), ConsumerGroup = header.ConsumerGroup.ToArray() });
        OnPull(request, header);
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleSendBack(RemotingRequest request, ConsumerSendMessageBackHeader header)
    {
        SentBack.Enqueue(header);
        request.Reply(SendBackAnswer, "scripted");
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleLock(RemotingRequest request, NoHeader header)
    {
        List<MessageQueue> queues = BodyCodec.Decode<LockBatchRequestBody>(request.Body).MqSet;
        request.Reply(BodyCodec.Encode(new LockBatchResponseBody { LockedQueues = [.. queues.Where(MayLock)] }));
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleUnlock(RemotingRequest request, NoHeader header)
    {
        Unlocked.Enqueue(BodyCodec.Decode<UnlockBatchRequestBody>(request.Body));
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }
}
