using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Transactions;

public sealed class TransactionCheckTests
{
    private const string Topic = "Orders";
    private const string HalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
    private const string GivenUpTopic = "TRANS_CHECK_MAX_TIME_TOPIC";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Check_ShowsTheMessageAsItWasSent_AndTheAnswerCommitsIt()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(producer.Header(Topic, 1, ("TAGS", "a")) with { Flag = 7 }, "hello");

        time.Advance(Timeout - Round);
        Assert.Empty(producer.Questions);
        time.Advance(Round + Round);
        Question question = await producer.QuestionAsync();

        CheckTransactionStateHeader header = question.Header;
        Assert.Equal((HalfTopic, half.Key, half.Key, RunningBroker.Name), (header.Topic, header.MessageId, header.TransactionId, header.BrokerName));
        Assert.Equal(1, header.QueueOffset);
        Assert.True(header.PhysicalOffset > half.PhysicalOffset);
        ReceivedMessage message = question.Message;
        Assert.Equal(header.OffsetMessageId, message.OffsetMessageId);
        Assert.Equal(
            (Topic, 1, "hello", 0, 7, 0L),
            (message.Topic, message.QueueId, Encoding.UTF8.GetString(message.Body.Span), message.SysFlag, message.Flag, message.PreparedTransactionOffset));
        Assert.Equal(("1", "a", Producer.Group, "false"), (message.Properties["TRANSACTION_CHECK_TIMES"], message.Properties["TAGS"], message.Properties["PGROUP"], message.Properties["WAIT"]));

        await producer.CommitAsync(question.Half, fromCheck: true);
        ReceivedMessage committed = await producer.Peer.ReadAsync(Topic, 0, queueId: 1);
        Assert.Equal("hello", Encoding.UTF8.GetString(committed.Body.Span));
        Assert.Equal("1", committed.Properties["TRANSACTION_CHECK_TIMES"]);

        time.Advance(Interval + Interval);
        Assert.Empty(producer.Questions);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(question.Half, MessageSysFlag.TransactionCommit, fromCheck: true));
    }

    [Fact]
    public async Task Check_LateCommitOfWhatWasSent_EndsWhatIsBeingAsked()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello");
        time.Advance(Timeout + Round);
        Question question = await producer.QuestionAsync();

        await producer.CommitAsync(half);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(question.Half, MessageSysFlag.TransactionCommit, fromCheck: true));
        time.Advance(Interval + Interval);
        Assert.Empty(producer.Questions);
        Assert.Equal(1, await producer.Peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Check_AnswerToAnEarlierQuestion_Counts()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.BeginAsync(Topic, "hello");
        time.Advance(Timeout + Round);
        Question first = await producer.QuestionAsync();
        time.Advance(Interval + Round);
        Question second = await producer.QuestionAsync();
        Assert.Equal("2", second.Message.Properties["TRANSACTION_CHECK_TIMES"]);

        await producer.RollbackAsync(first.Half, fromCheck: true);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(second.Half, MessageSysFlag.TransactionCommit, fromCheck: true));
        time.Advance(Interval + Interval);
        Assert.Empty(producer.Questions);
    }

    [Fact]
    public async Task Check_UnknownEachTime_IsAskedAsOftenAsTheSettingSays_ThenGivenUp()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, [("transactionCheckMax", "3")]);
        Producer producer = await Producer.ConnectAsync(broker);
        Half half = await producer.BeginAsync(Topic, "hello", 0, ("TAGS", "a"));
        time.Advance(Timeout + Round);
        Question last = await producer.QuestionAsync();
        for (int check = 2; check <= 3; check++)
        {
            Assert.Equal(ResponseCode.Success, (await producer.EndAsync(last.Half, MessageSysFlag.TransactionNone, fromCheck: true)).ResponseCode);
            time.Advance(Interval + Round);
            last = await producer.QuestionAsync();
        }

        time.Advance(Interval + Round);

        ReceivedMessage givenUp = await producer.Peer.ReadAsync(GivenUpTopic, 0);
        Assert.Equal("hello", Encoding.UTF8.GetString(givenUp.Body.Span));
        Assert.Equal(("3", Topic, "a"), (givenUp.Properties["TRANSACTION_CHECK_TIMES"], givenUp.Properties["REAL_TOPIC"], givenUp.Properties["TAGS"]));
        Assert.Empty(producer.Questions);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(last.Half, MessageSysFlag.TransactionCommit, fromCheck: true));
        Assert.Equal(0, await producer.Peer.MaxOffsetAsync(Topic));

        // An administrator has it asked about again.
        await ResumeAsync(producer.Peer, givenUp.OffsetMessageId);
        time.Advance(Round + Round);
        Question resumed = await producer.QuestionAsync();
        Assert.Equal("1", resumed.Message.Properties["TRANSACTION_CHECK_TIMES"]);
        await producer.CommitAsync(resumed.Half, fromCheck: true);
        Assert.Equal("hello", Encoding.UTF8.GetString((await producer.Peer.ReadAsync(Topic, 0)).Body.Span));
    }

    [Fact]
    public async Task Check_NoProducerThere_CountsAsWell_AndTheNextOneOfTheGroupIsAsked()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.BeginAsync(Topic, "hello");
        await producer.Peer.DisposeAsync();
        Peer observer = broker.Connect("observer");

        time.Advance(Timeout + Round);
        ReceivedMessage once = await observer.ReadAsync(HalfTopic, 1);
        Assert.Equal("1", once.Properties["TRANSACTION_CHECK_TIMES"]);

        Producer stranger = await Producer.ConnectAsync(broker, "stranger", "Strangers");
        Producer other = await Producer.ConnectAsync(broker, "other");
        time.Advance(Interval + Round);
        Question question = await other.QuestionAsync();
        Assert.Equal("2", question.Message.Properties["TRANSACTION_CHECK_TIMES"]);
        await other.CommitAsync(question.Half, fromCheck: true);
        Assert.Equal("hello", Encoding.UTF8.GetString((await other.Peer.ReadAsync(Topic, 0)).Body.Span));
        Assert.Empty(stranger.Questions);
    }

    [Fact]
    public async Task Check_SeveralProducers_AreAskedInTurn()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer one = await Producer.ConnectAsync(broker, "one");
        Producer other = await Producer.ConnectAsync(broker, "other");
        for (int i = 0; i < 10; i++)
        {
            await one.BeginAsync(Topic, "hello");
        }

        time.Advance(Timeout + Round);
        await Eventually.TrueAsync(() => one.Questions.Count + other.Questions.Count == 10, "all questions");

        Assert.Equal((5, 5), (one.Questions.Count, other.Questions.Count));
    }

    [Theory]
    [InlineData("60", 61)]
    [InlineData("1", 3)]
    [InlineData("0", 2)]
    [InlineData("-1", 7)]
    [InlineData("soon", 7)]
    public async Task Check_FirstTime_IsWhenTheProducerSaid(string immunity, int asksAfterSeconds)
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.BeginAsync(Topic, "hello", 0, ("CHECK_IMMUNITY_TIME_IN_SECONDS", immunity));

        time.Advance(TimeSpan.FromSeconds(asksAfterSeconds - 2));
        Assert.Empty(producer.Questions);
        time.Advance(TimeSpan.FromSeconds(2));

        await producer.QuestionAsync();
    }

    [Fact]
    public async Task Check_ManyEndedBefore_AsksAboutTheOthersOnly()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        var open = new List<string>();
        for (int i = 0; i < 300; i++)
        {
            Half half = await producer.BeginAsync(Topic, $"{i}");
            switch (i % 3)
            {
                case 0:
                    await producer.CommitAsync(half);
                    break;
                case 1:
                    await producer.RollbackAsync(half);
                    break;
                default:
                    open.Add(half.Key);
                    break;
            }

            if (i % 50 == 0)
            {
                time.Advance(TimeSpan.FromMilliseconds(500));
            }
        }

        TransactionList list = await producer.Peer.AskAsync<ListTransactionsHeader, TransactionList>(
            RequestCode.ListTransactions, new ListTransactionsHeader { MaxCount = 1000 });
        Assert.Equal(open, list.Transactions.Select(transaction => transaction.TransactionId));
        time.Advance(Timeout + Round);
        await Eventually.TrueAsync(() => producer.Questions.Count >= open.Count, "all questions");

        Assert.Equal(open, producer.Questions.Select(question => question.Half.Key));
    }

    [Fact]
    public async Task Resume_OfOneThatHasEnded_IsRefused()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Half ended = await producer.BeginAsync(Topic, "ended");
        await producer.CommitAsync(ended);
        ReceivedMessage half = await producer.Peer.ReadAsync(HalfTopic, 0);
        ReceivedMessage committed = await producer.Peer.ReadAsync(Topic, 0);

        foreach (string? id in new[] { half.OffsetMessageId, committed.OffsetMessageId, "nonsense", null, new string('0', 32) })
        {
            RemotingCommand reply = await producer.Peer.AskAsync(
                RequestCode.ResumeCheckHalfMessage, new ResumeCheckHalfMessageHeader { Topic = Topic, MessageId = id });
            Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        }

        Assert.Equal(1, await producer.Peer.MaxOffsetAsync(HalfTopic));
    }

    [Fact]
    public async Task Resume_OfOneThatWaits_AsksAtOnceAndCountsAnew()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        await producer.BeginAsync(Topic, "hello");
        time.Advance(Timeout + Round);
        Question question = await producer.QuestionAsync();

        await ResumeAsync(producer.Peer, question.Header.OffsetMessageId!);
        time.Advance(Round + Round);

        Assert.Equal("1", (await producer.QuestionAsync()).Message.Properties["TRANSACTION_CHECK_TIMES"]);
    }

    [Fact]
    public async Task List_ShowsWhoWaits()
    {
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, []);
        Producer producer = await Producer.ConnectAsync(broker);
        Producer stranger = await Producer.ConnectAsync(broker, "stranger", "Strangers");
        Half half = await producer.BeginAsync(Topic, "hello", queueId: 1, ("KEYS", "k1 k2"));
        await stranger.BeginAsync("Payments", "other");
        time.Advance(Timeout + Round);
        await producer.QuestionAsync();

        TransactionList all = await ListAsync(producer.Peer);
        TransactionList ofTopic = await ListAsync(producer.Peer, topic: Topic);
        TransactionList ofGroup = await ListAsync(producer.Peer, group: "Strangers");

        Assert.Equal((2L, 2), (all.Total, all.Transactions.Count));
        Assert.Equal("Payments", Assert.Single(ofGroup.Transactions).Topic);
        PendingTransaction shown = Assert.Single(ofTopic.Transactions);
        Assert.Equal(
            (Topic, 1, Producer.Group, half.Key, "k1 k2", 1),
            (shown.Topic, shown.QueueId, shown.ProducerGroup, shown.TransactionId, shown.Keys, shown.CheckTimes));
        Assert.True(shown.NextCheckTimestamp > time.NowMs && shown.NextCheckTimestamp <= time.NowMs + Interval.TotalMilliseconds);
        Assert.True(shown.StoreTimestamp <= time.NowMs - Timeout.TotalMilliseconds);
    }

    private static Task<TransactionList> ListAsync(Peer peer, string? topic = null, string? group = null) =>
        peer.AskAsync<ListTransactionsHeader, TransactionList>(
            RequestCode.ListTransactions, new ListTransactionsHeader { Topic = topic, ProducerGroup = group });

    private static async Task ResumeAsync(Peer peer, string messageId)
    {
        long before = await peer.MaxOffsetAsync(HalfTopic);
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.ResumeCheckHalfMessage, new ResumeCheckHalfMessageHeader { Topic = Topic, MessageId = messageId });
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        await peer.DispatchedAsync(HalfTopic, before + 1);
    }
}
