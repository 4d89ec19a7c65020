using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Transactions;

public sealed class EndTransactionTests
{
    private const string Topic = "Orders";
    private const string HalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
    private const string OperationTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";

    [Fact]
    public async Task Commit_MessageAppears_WithWhatItWasSentWith()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);

        Half half = await producer.BeginAsync(
            producer.Header(Topic, queueId: 1, ("TAGS", "a"), ("KEYS", "k"), ("own", "x")) with { Flag = 7 }, "hello");
        Assert.Equal(0, half.QueueOffset);
        Assert.Equal(0, await producer.Peer.MaxOffsetAsync(Topic, 1));
        ReceivedMessage stored = await producer.Peer.ReadAsync(HalfTopic, 0);
        Assert.Equal((0, 7, half.PhysicalOffset, 0L), (stored.SysFlag, stored.Flag, stored.PhysicalOffset, stored.PreparedTransactionOffset));
        Assert.Equal(Topic, stored.Properties["REAL_TOPIC"]);
        Assert.Equal("1", stored.Properties["REAL_QID"]);
        Assert.Equal(half.Key, stored.Properties["__transactionId__"]);

        await producer.CommitAsync(half);

        ReceivedMessage message = await producer.Peer.ReadAsync(Topic, 0, queueId: 1);
        Assert.Equal("hello", Encoding.UTF8.GetString(message.Body.Span));
        Assert.Equal(
            (MessageSysFlag.TransactionCommit, 7, half.PhysicalOffset, stored.BornTimestampMs),
            (message.SysFlag, message.Flag, message.PreparedTransactionOffset, message.BornTimestampMs));
        Assert.Equal(stored.Properties, message.Properties);
        Assert.Equal("a", message.Properties["TAGS"]);
    }

    [Fact]
    public async Task Rollback_NothingAppears_AndTheOperationQueueSaysSo()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.CommitAsync(await producer.BeginAsync(Topic, "first"));
        Half half = await producer.BeginAsync(Topic, "second");

        await producer.RollbackAsync(half);

        ReceivedMessage operation = await LastOperationAsync(producer.Peer, "1,");
        Assert.Equal("d", operation.Properties["TAGS"]);
        await producer.Peer.ReadAsync(Topic, 0);
        Assert.Equal(1, await producer.Peer.MaxOffsetAsync(Topic));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task End_Again_IsRefusedAndChangesNothing(bool commitFirst, bool commitThen)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello");

        Assert.Equal(ResponseCode.Success, (await producer.EndAsync(half, Outcome(commitFirst))).ResponseCode);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, Outcome(commitThen)));
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, Outcome(commitThen), fromCheck: true));
        await broker.RestartAsync();
        producer = await Producer.ConnectAsync(broker);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, Outcome(commitThen)));

        Assert.Equal(commitFirst ? 1 : 0, await producer.Peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task End_ByManyAtOnce_HappensOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("flushDiskType", "SYNC_FLUSH"));
        Producer one = await Producer.ConnectAsync(broker, "one");
        Producer other = await Producer.ConnectAsync(broker, "other");
        for (int round = 0; round < 20; round++)
        {
            Half half = await one.BeginAsync(Topic, "hello");
            RemotingCommand[] answers = await Task.WhenAll(
                Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : other).EndAsync(half, MessageSysFlag.TransactionCommit)));

            Assert.Single(answers, answer => answer.ResponseCode == ResponseCode.Success);
            Assert.Equal(7, answers.Count(answer => answer.ResponseCode == ResponseCode.IllegalOperation));
        }

        await one.Peer.DispatchedAsync(Topic, 20);
        Assert.Equal(20, await one.Peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task End_Forged_IsRefusedAndHarmsNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        Producer stranger = await Producer.ConnectAsync(broker, "stranger", "Strangers");
        Half first = await producer.BeginAsync(Topic, "first");
        Half half = await producer.BeginAsync(Topic, "hello");
        await producer.Peer.StoreAsync(Topic, "ordinary", queueId: 1);
        ReceivedMessage ordinary = await producer.Peer.ReadAsync(Topic, 0, queueId: 1);
        const int Commit = MessageSysFlag.TransactionCommit;

        await stranger.RefusedAsync(ResponseCode.SystemError, stranger.End(half, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { QueueOffset = 0 }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { QueueOffset = -1 }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { PhysicalOffset = first.PhysicalOffset }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { PhysicalOffset = half.PhysicalOffset + 1 }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { PhysicalOffset = 0 }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { PhysicalOffset = -1 }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half with { PhysicalOffset = long.MaxValue }, Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(new Half("", 0, ordinary.PhysicalOffset), Commit));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half, MessageSysFlag.TransactionPrepared));
        await producer.RefusedAsync(ResponseCode.SystemError, producer.End(half, 99));
        Assert.Equal(ResponseCode.SystemError, (await producer.Peer.AskAsync(RequestCode.EndTransaction, default(NoHeader))).ResponseCode);

        await producer.CommitAsync(half);
        await producer.RollbackAsync(first);
        Assert.Equal("hello", Encoding.UTF8.GetString((await producer.Peer.ReadAsync(Topic, 0)).Body.Span));
    }

    [Fact]
    public async Task End_RecordWithinABody_IsNoHalfMessage()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello");
        RemotingCommand before = await producer.Peer.StoreAsync(Topic, "before", queueId: 1);
        Assert.True(MessageId.TryParse(SendMessageResponseHeader.Read(before.Fields).MessageId, out _, out long at));
        ReceivedMessage last = await producer.Peer.ReadAsync(Topic, 0, queueId: 1);

        // Where the body of the next message will stand, and in it a record that says it is the half message that it follows.
        const int BodyStart = 88;
        long forgedAt = at + last.StoreSize + BodyStart;
        byte[] forged = new byte[1000];
        int length = StoredMessageWriter.Write(
            forged,
            new StoredMessageFields
            {
                Topic = Encoding.UTF8.GetBytes(HalfTopic),
                QueueOffset = 0,
                PhysicalOffset = forgedAt,
                PreparedTransactionOffset = half.PhysicalOffset,
                Properties = Encoding.UTF8.GetBytes(Sends.Properties(("PGROUP", Producer.Group), ("REAL_TOPIC", Topic), ("REAL_QID", "0"))),
            },
            "forged"u8);
        await producer.Peer.AskAsync(RequestCode.SendMessageV2, Sends.Header(Topic, 1), forged[..length]);
        await producer.Peer.DispatchedAsync(Topic, 2, queueId: 1);

        await producer.RefusedAsync(
            ResponseCode.SystemError, producer.End(half with { PhysicalOffset = forgedAt }, MessageSysFlag.TransactionCommit));
        await producer.CommitAsync(half);
        Assert.Equal("hello", Encoding.UTF8.GetString((await producer.Peer.ReadAsync(Topic, 0)).Body.Span));
    }

    [Fact]
    public async Task Unknown_IsTaken_AndTheTransactionStaysOpen()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello");

        Assert.Equal(ResponseCode.Success, (await producer.EndAsync(half, MessageSysFlag.TransactionNone)).ResponseCode);

        await producer.CommitAsync(half);
        await producer.Peer.ReadAsync(Topic, 0);
    }

    [Fact]
    public async Task End_OneWay_IsDone()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello");

        await producer.Peer.TellAsync(RequestCode.EndTransaction, producer.End(half, MessageSysFlag.TransactionCommit));

        Assert.Equal("hello", Encoding.UTF8.GetString((await producer.Peer.ReadAsync(Topic, 0)).Body.Span));
    }

    [Fact]
    public async Task Commit_OfADeletedTopic_IsRefused_AndCanBeDoneOnceItIsBack()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.Peer.CreateTopicAsync(Topic, queueNums: 4);
        Half half = await producer.BeginAsync(Topic, "hello", queueId: 3);
        await producer.Peer.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(Topic));

        await producer.RefusedAsync(ResponseCode.TopicNotExist, producer.End(half, MessageSysFlag.TransactionCommit));

        await producer.Peer.CreateTopicAsync(Topic, queueNums: 2);
        await producer.CommitAsync(half);
        await producer.Peer.ReadAsync(Topic, 0, queueId: 1);
    }

    [Fact]
    public async Task Send_WhereTransactionsAreRefused_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("rejectTransactionMessage", "true"));
        Producer producer = await Producer.ConnectAsync(broker);

        await producer.Peer.RefusedAsync(ResponseCode.NoPermission, producer.Header(Topic));
        await producer.Peer.StoreAsync(Topic, "ordinary");
    }

    [Fact]
    public async Task Send_BatchOfATransaction_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);

        await producer.Peer.RefusedAsync(ResponseCode.MessageIllegal, producer.Header(Topic) with { Batch = true });
    }

    [Fact]
    public async Task Send_HalfMessageFirstOfAll_StandsNotAtTheBeginningOfTheLog()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Producer producer = await Producer.ConnectAsync(broker);

        Half half = await producer.BeginAsync(Topic, "hello");

        Assert.NotEqual(0, half.PhysicalOffset);
    }

    [Fact]
    public async Task End_WithinTheTimeThatItsProducerSaid_Only()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Half early = await producer.BeginAsync(Topic, "early", 0, ("CHECK_IMMUNITY_TIME_IN_SECONDS", "10"));
        Half late = await producer.BeginAsync(Topic, "late", 0, ("CHECK_IMMUNITY_TIME_IN_SECONDS", "10"));

        time.Advance(TimeSpan.FromSeconds(9));
        await producer.CommitAsync(early);
        time.Advance(TimeSpan.FromSeconds(2));
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(late, MessageSysFlag.TransactionCommit));

        Question question = await producer.QuestionAsync();
        Assert.Equal(late.Key, question.Half.Key);
        await producer.CommitAsync(question.Half, fromCheck: true);
        await producer.Peer.DispatchedAsync(Topic, 2);
    }

    [Fact]
    public async Task Commit_OfADelayedMessage_IsDeliveredThatLongAfterTheCommit()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello", 1, ("TIMER_DELAY_SEC", "10"));
        time.Advance(TimeSpan.FromSeconds(5));

        await producer.CommitAsync(half);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, await producer.Peer.MaxOffsetAsync(Topic, 1));
        time.Advance(TimeSpan.FromSeconds(2));
        ReceivedMessage message = await producer.Peer.ReadAsync(Topic, 0, queueId: 1);
        Assert.Equal("hello", Encoding.UTF8.GetString(message.Body.Span));
        Assert.Empty(producer.Questions);
    }

    internal static async Task<ReceivedMessage> LastOperationAsync(Peer peer, string body)
    {
        for (long offset = 0; ; offset++)
        {
            ReceivedMessage operation = await peer.ReadAsync(OperationTopic, offset);
            if (Encoding.UTF8.GetString(operation.Body.Span) == body)
            {
                return operation;
            }
        }
    }

    private static int Outcome(bool commit) => commit ? MessageSysFlag.TransactionCommit : MessageSysFlag.TransactionRollback;
}
