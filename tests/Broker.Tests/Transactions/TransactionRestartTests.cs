using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Transactions;

/// <summary>What transactions are after a stop in order, and after kill -9, at each of their steps.</summary>
public sealed class TransactionRestartTests
{
    private const string Topic = "Orders";
    private const string HalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
    private const string OperationTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
    private const string TransactionGroup = "CID_RMQ_SYS_TRANS";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task HalfMessage_ThenRestart_CanBeCommitted(bool kill, bool written)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        PassRounds(time, written);

        producer = await AgainAsync(broker, kill);

        await producer.CommitAsync(half);
        Assert.Equal("hello", await OnlyMessageAsync(producer.Peer));
        await NobodyIsAskedAsync(time, producer);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task HalfMessage_ThenRestart_IsAskedAbout(bool kill, bool written)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        PassRounds(time, written);

        producer = await AgainAsync(broker, kill);
        time.Advance(Timeout + Round);

        Question question = await producer.QuestionAsync();
        Assert.Equal(half.Key, question.Half.Key);
        await producer.CommitAsync(question.Half, fromCheck: true);
        Assert.Equal("hello", await OnlyMessageAsync(producer.Peer));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Commit_ThenRestart_IsNeitherDoneAgainNorAskedAbout(bool kill, bool written)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        PassRounds(time, written);
        await producer.CommitAsync(half);

        // No operation record names it yet.
        producer = await AgainAsync(broker, kill);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await NobodyIsAskedAsync(time, producer);
        Assert.Equal("hello", await OnlyMessageAsync(producer.Peer));

        // RocketMQ is told all the same.
        await EndTransactionTests.LastOperationAsync(producer.Peer, "0,");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Rollback_ThenRestart_IsNeitherUndoneNorAskedAbout(bool kill, bool written)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        PassRounds(time, written);
        await producer.RollbackAsync(half);

        producer = await AgainAsync(broker, kill);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await NobodyIsAskedAsync(time, producer);
        Assert.Equal(0, await producer.Peer.MaxOffsetAsync(Topic));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Check_ThenRestart_CountsOn_AndEitherAnswerEndsIt(bool kill)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        time.Advance(Timeout + Round);
        Question first = await producer.QuestionAsync();

        producer = await AgainAsync(broker, kill);
        time.Advance(Interval + Round);
        Question second = await producer.QuestionAsync();
        Assert.Equal("2", second.Message.Properties["TRANSACTION_CHECK_TIMES"]);

        producer = await AgainAsync(broker, kill);
        await producer.CommitAsync(first.Half, fromCheck: true);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(second.Half, MessageSysFlag.TransactionCommit, fromCheck: true));
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await NobodyIsAskedAsync(time, producer);
        Assert.Equal("hello", await OnlyMessageAsync(producer.Peer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GivenUp_ThenRestart_StaysGivenUp(bool kill)
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync(("transactionCheckMax", "1"));
        await using RunningBroker running = broker;
        Half half = await producer.BeginAsync(Topic, "hello");
        time.Advance(Timeout + Round);
        await producer.QuestionAsync();
        time.Advance(Interval + Round);
        await producer.Peer.ReadAsync("TRANS_CHECK_MAX_TIME_TOPIC", 0);

        producer = await AgainAsync(broker, kill);

        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(half, MessageSysFlag.TransactionCommit));
        await NobodyIsAskedAsync(time, producer);
        Assert.Equal(1, await producer.Peer.MaxOffsetAsync("TRANS_CHECK_MAX_TIME_TOPIC"));
    }

    [Fact]
    public async Task ManySteps_AcrossKills_EachTransactionEndsOnce()
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        var random = new Random(20261122);
        var open = new Dictionary<string, Half>(StringComparer.Ordinal);
        var committed = new List<string>();
        var ended = new List<Half>();
        for (int step = 0; step < 400; step++)
        {
            switch (random.Next(20))
            {
                case < 8:
                    Half begun = await producer.BeginAsync(Topic, $"{step}");
                    open[begun.Key] = begun;
                    break;
                case < 15 when open.Count > 0:
                    Half half = open.ElementAt(random.Next(open.Count)).Value;
                    bool commit = random.Next(2) == 0;
                    Assert.Equal(
                        ResponseCode.Success,
                        (await producer.EndAsync(half, commit ? MessageSysFlag.TransactionCommit : MessageSysFlag.TransactionRollback)).ResponseCode);
                    open.Remove(half.Key);
                    ended.Add(half);
                    if (commit)
                    {
                        committed.Add(half.Key);
                    }

                    break;
                case < 17 when ended.Count > 0:
                    await producer.RefusedAsync(
                        ResponseCode.IllegalOperation, producer.End(ended[random.Next(ended.Count)], MessageSysFlag.TransactionCommit));
                    break;
                case < 19:
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(4000)));
                    break;
                default:
                    producer = await AgainAsync(broker, kill: random.Next(2) == 0, id: $"p{step}");
                    break;
            }
        }

        // The check stores a half message anew, the others are where they were sent.
        TransactionList list = await producer.Peer.AskAsync<ListTransactionsHeader, TransactionList>(
            RequestCode.ListTransactions, new ListTransactionsHeader { MaxCount = 1000 });
        Assert.Equal(open.Keys.Order(), list.Transactions.Select(transaction => transaction.TransactionId).Order());
        await producer.Peer.DispatchedAsync(Topic, committed.Count);
        var found = new List<string>();
        for (long offset = 0; offset < committed.Count;)
        {
            List<ReceivedMessage> messages = Pulls.Messages(await producer.Peer.PullAsync(Pulls.Header(Topic, offset)));
            found.AddRange(messages.Select(message => message.Properties["UNIQ_KEY"]));
            offset += messages.Count;
        }

        Assert.Equal(committed, found);
        Assert.Equal(committed.Count, await producer.Peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Stop_LeavesOffsetsAndOperations_ThatTellRocketMqWhatIsPending()
    {
        (RunningBroker broker, ManualTime _, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        await producer.CommitAsync(await producer.BeginAsync(Topic, "0"));
        await producer.RollbackAsync(await producer.BeginAsync(Topic, "1"));
        Half open = await producer.BeginAsync(Topic, "2");
        await producer.CommitAsync(await producer.BeginAsync(Topic, "3"));

        producer = await AgainAsync(broker, kill: false);

        Assert.Equal(2, await OffsetAsync(producer.Peer, HalfTopic));
        long operation = await OffsetAsync(producer.Peer, OperationTopic);
        var named = new List<string>();
        for (long offset = operation; offset < await producer.Peer.MaxOffsetAsync(OperationTopic); offset++)
        {
            ReceivedMessage record = await producer.Peer.ReadAsync(OperationTopic, offset);
            named.AddRange(Encoding.UTF8.GetString(record.Body.Span).Split(',', StringSplitOptions.RemoveEmptyEntries));
        }

        Assert.Contains("3", named);
        Assert.DoesNotContain("2", named);
        await producer.CommitAsync(open);
        await AgainAsync(broker, kill: false);
        Peer peer = broker.Connect("observer");
        Assert.Equal(4, await OffsetAsync(peer, HalfTopic));
        Assert.Equal(await peer.MaxOffsetAsync(OperationTopic), await OffsetAsync(peer, OperationTopic));
    }

    [Fact]
    public async Task StateDatabaseLost_IsMadeAgainFromTheLog()
    {
        (RunningBroker broker, ManualTime time, Producer producer) = await StartAsync();
        await using RunningBroker running = broker;
        Half ended = await producer.BeginAsync(Topic, "ended");
        await producer.CommitAsync(ended);
        Half open = await producer.BeginAsync(Topic, "open");
        time.Advance(Timeout + Round);
        Question question = await producer.QuestionAsync();

        await broker.StopAllAsync();
        Directory.Delete(Path.Combine(broker.StorePath, "state"), recursive: true);
        await broker.StartAgainAsync();

        producer = await Producer.ConnectAsync(broker);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(ended, MessageSysFlag.TransactionCommit));
        await producer.CommitAsync(question.Half, fromCheck: true);
        await producer.RefusedAsync(ResponseCode.IllegalOperation, producer.End(open, MessageSysFlag.TransactionCommit));
        await producer.Peer.DispatchedAsync(Topic, 2);
    }

    private static async Task<(RunningBroker Broker, ManualTime Time, Producer Producer)> StartAsync(
        params (string Key, string Value)[] settings)
    {
        var time = new ManualTime();
        RunningBroker broker = await RunningBroker.StartAsync(null, time, settings);
        return (broker, time, await Producer.ConnectAsync(broker));
    }

    private static async Task<Producer> AgainAsync(RunningBroker broker, bool kill, string id = "producer again")
    {
        if (kill)
        {
            await broker.KillAsync();
        }
        else
        {
            await broker.RestartAsync();
        }

        return await Producer.ConnectAsync(broker, id);
    }

    // Far enough for what is pending to be in the database, not for anybody to be asked.
    private static void PassRounds(ManualTime time, bool written)
    {
        if (written)
        {
            time.Advance(Round + Round);
        }
    }

    private static async Task NobodyIsAskedAsync(ManualTime time, Producer producer)
    {
        long before = await producer.Peer.MaxOffsetAsync(HalfTopic);
        time.Advance(Timeout + Interval + Interval);
        Assert.Empty(producer.Questions);
        Assert.Equal(before, await producer.Peer.MaxOffsetAsync(HalfTopic));
    }

    private static async Task<string> OnlyMessageAsync(Peer peer)
    {
        ReceivedMessage message = await peer.ReadAsync(Topic, 0);
        Assert.Equal(1, await peer.MaxOffsetAsync(Topic));
        return Encoding.UTF8.GetString(message.Body.Span);
    }

    private static async Task<long> OffsetAsync(Peer peer, string topic)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.QueryConsumerOffset,
            new QueryConsumerOffsetHeader
            {
                ConsumerGroup = Encoding.UTF8.GetBytes(TransactionGroup),
                Topic = Encoding.UTF8.GetBytes(topic),
                QueueId = 0,
            });
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return OffsetResponseHeader.Read(reply.Fields).Offset;
    }
}
