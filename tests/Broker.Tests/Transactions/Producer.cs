using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Transactions;

/// <summary>What a producer knows of a transaction that it began.</summary>
internal sealed record Half(string Key, long QueueOffset, long PhysicalOffset);

/// <summary>A question that a producer was asked.</summary>
internal sealed record Question(CheckTransactionStateHeader Header, ReceivedMessage Message)
{
    /// <summary>What the producer names when it answers.</summary>
    public Half Half => new(Header.MessageId!, Header.QueueOffset, Header.PhysicalOffset);
}

/// <summary>A transactional producer's side of a connection.</summary>
internal sealed class Producer
{
    public const string Group = "PG";

    private readonly string _group;
    private int _sent;

    private Producer(Peer peer, string group)
    {
        Peer = peer;
        _group = group;
    }

    public Peer Peer { get; }

    /// <summary>What the broker has asked, in order.</summary>
    public ConcurrentQueue<Question> Questions { get; private init; } = new();

    public static async Task<Producer> ConnectAsync(RunningBroker broker, string id = "producer", string group = Group)
    {
        var questions = new ConcurrentQueue<Question>();
        Peer peer = broker.Connect(id, table => table.On<CheckTransactionStateHeader>(
            RequestCode.CheckTransactionState,
            (request, header) =>
            {
                byte[] body = System.Buffers.BuffersExtensions.ToArray(request.Body);
                questions.Enqueue(new Question(header, Assert.Single(MessageDecoder.DecodeAll(body))));
                return ValueTask.CompletedTask;
            }));
        var producer = new Producer(peer, group) { Questions = questions };
        RemotingCommand reply = await peer.HeartbeatAsync(
            $$"""{"clientID":"{{id}}","producerDataSet":[{"groupName":"{{group}}"}],"consumerDataSet":[]}""");
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return producer;
    }

    public SendMessageHeader Header(string topic, int queueId = 0, params (string Name, string Value)[] more)
    {
        string key = $"{Peer.Id}-{Interlocked.Increment(ref _sent)}";
        return Sends.Header(topic, queueId, Sends.Properties([("TRAN_MSG", "true"), ("UNIQ_KEY", key), ("PGROUP", _group), .. more])) with
        {
            SysFlag = MessageSysFlag.TransactionPrepared,
        };
    }

    public Task<Half> BeginAsync(string topic, string body, int queueId = 0, params (string Name, string Value)[] more) =>
        BeginAsync(Header(topic, queueId, more), body);

    public async Task<Half> BeginAsync(SendMessageHeader header, string body)
    {
        RemotingCommand reply = await Peer.SendAsync(header, body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        SendMessageResponseHeader sent = SendMessageResponseHeader.Read(reply.Fields);
        Assert.True(MessageId.TryParse(sent.MessageId, out _, out long physicalOffset));
        await Peer.DispatchedAsync("RMQ_SYS_TRANS_HALF_TOPIC", sent.QueueOffset + 1);
        return new Half(sent.TransactionId!, sent.QueueOffset, physicalOffset);
    }

    public Task<RemotingCommand> EndAsync(Half half, int outcome, bool fromCheck = false) =>
        Peer.AskAsync(RequestCode.EndTransaction, End(half, outcome, fromCheck));

    public async Task CommitAsync(Half half, bool fromCheck = false)
    {
        RemotingCommand reply = await EndAsync(half, MessageSysFlag.TransactionCommit, fromCheck);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    public async Task RollbackAsync(Half half, bool fromCheck = false)
    {
        RemotingCommand reply = await EndAsync(half, MessageSysFlag.TransactionRollback, fromCheck);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    public async Task RefusedAsync(ResponseCode code, EndTransactionHeader header)
    {
        RemotingCommand reply = await Peer.AskAsync(RequestCode.EndTransaction, header);
        Assert.True(code == reply.ResponseCode, $"{reply.ResponseCode} {reply.Remark}");
        Assert.False(string.IsNullOrEmpty(reply.Remark));
    }

    public EndTransactionHeader End(Half half, int outcome, bool fromCheck = false) => new()
    {
        ProducerGroup = Encoding.UTF8.GetBytes(_group),
        QueueOffset = half.QueueOffset,
        PhysicalOffset = half.PhysicalOffset,
        Outcome = outcome,
        FromCheck = fromCheck,
        MessageId = Encoding.UTF8.GetBytes(half.Key),
        TransactionId = Encoding.UTF8.GetBytes(half.Key),
    };

    /// <summary>Waits for the broker's next question.</summary>
    public async Task<Question> QuestionAsync()
    {
        Question? question = null;
        await Eventually.TrueAsync(() => Questions.TryDequeue(out question), "a question of the broker");
        return question!;
    }
}
