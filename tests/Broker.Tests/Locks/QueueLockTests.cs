using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Locks;

public class QueueLockTests
{
    private static readonly MessageQueue Q0 = new("T", "broker-a", 0);
    private static readonly MessageQueue Q1 = new("T", "broker-a", 1);
    private static readonly MessageQueue Q2 = new("T", "broker-a", 2);

    private readonly ManualTime _time = new();
    private readonly QueueLockTable _locks;

    public QueueLockTests() =>
        _locks = new QueueLockTable(ClientLimits.Default with { MaxLocks = 5 }, _time, NullLogger<QueueLockTable>.Instance);

    [Fact]
    public void Lock_FreeQueues_AreHeldByTheClient()
    {
        Assert.Equal([Q0, Q1], _locks.Lock("G", [Q0, Q1, Q0], "c1"));

        Assert.True(_locks.IsHeld("G", Q0, "c1"));
        Assert.False(_locks.IsHeld("G", Q0, "c2"));
        Assert.False(_locks.IsHeld("H", Q0, "c1"));
        Assert.Equal(2, _locks.Count);
    }

    [Fact]
    public void Lock_QueueOfAnother_IsNotGranted()
    {
        _locks.Lock("G", [Q0, Q1], "c1");

        Assert.Equal([Q2], _locks.Lock("G", [Q0, Q2], "c2"));
        Assert.Equal([Q0], _locks.Lock("H", [Q0], "c2"));
    }

    // Asked by each pull of a topic that was switched on or off.
    [Theory]
    [InlineData("G")]
    [InlineData("G\u0001")]
    public void AnyHeld_ByEitherSideOfAGroup_IsKnownUntilItExpires_AndAllocatesNothing(string name)
    {
        Assert.False(_locks.IsAnyHeldByASideOf("G"));
        _locks.Lock(name, [Q0], "c1");
        Assert.True(_locks.IsAnyHeldByASideOf("G"));
        Assert.False(_locks.IsAnyHeldByASideOf("H"));
        Assert.False(_locks.IsAnyHeldByASideOf(""));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            _locks.IsAnyHeldByASideOf("G");
            _locks.IsAnyHeldByASideOf("H");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        _time.Advance(QueueLockTable.HoldTime + TimeSpan.FromMilliseconds(1));
        Assert.False(_locks.IsAnyHeldByASideOf("G"));
    }

    [Fact]
    public void Lock_NotRenewedInTime_GoesToWhoeverAsksNext()
    {
        _locks.Lock("G", [Q0], "c1");
        _time.Advance(QueueLockTable.HoldTime);
        Assert.Empty(_locks.Lock("G", [Q0], "c2"));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([Q0], _locks.Lock("G", [Q0], "c2"));
        Assert.Empty(_locks.Lock("G", [Q0], "c1"));
    }

    [Fact]
    public void Lock_Renewed_IsHeldOn()
    {
        _locks.Lock("G", [Q0], "c1");
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal([Q0], _locks.Lock("G", [Q0], "c1"));
        _time.Advance(TimeSpan.FromSeconds(40));

        Assert.Empty(_locks.Lock("G", [Q0], "c2"));
    }

    [Fact]
    public void Unlock_OnlyTheHoldersQueues_AreFree()
    {
        _locks.Lock("G", [Q0], "c1");
        _locks.Lock("G", [Q1], "c2");

        _locks.Unlock("G", [Q0, Q1, Q2], "c1");

        Assert.Equal([Q0], _locks.Lock("G", [Q0, Q1], "c3"));
        _locks.Unlock("None", [Q0], "c1");
    }

    [Fact]
    public void Expire_NotRenewed_LeavesNothing()
    {
        _locks.Lock("G", [Q0, Q1], "c1");
        _time.Advance(TimeSpan.FromSeconds(30));
        _locks.Lock("G", [Q1], "c1");
        _time.Advance(TimeSpan.FromSeconds(31));

        _locks.Expire();
        Assert.Equal(1, _locks.Count);
        Assert.True(_locks.IsHeld("G", Q1, "c1"));

        _time.Advance(TimeSpan.FromSeconds(31));
        _locks.Expire();
        Assert.Equal(0, _locks.Count);
    }

    [Fact]
    public void Lock_BeyondTheLimit_IsNotGranted()
    {
        MessageQueue[] queues = [.. Enumerable.Range(0, 8).Select(id => new MessageQueue("T", "b", id))];

        Assert.Equal(queues[..5], _locks.Lock("G", queues, "c1"));
        Assert.Empty(_locks.Lock("H", queues, "c1"));
        Assert.Equal(queues[..5], _locks.Lock("G", queues, "c1"));
        _locks.Unlock("G", queues, "c1");
        Assert.Equal(queues[..5], _locks.Lock("H", queues, "c1"));
    }

    [Fact]
    public async Task Lock_FromManyThreads_HasOneHolder()
    {
        for (int round = 0; round < 200; round++)
        {
            List<MessageQueue>[] held = await Task.WhenAll(Enumerable.Range(0, 4).Select(
                i => Task.Run(() => _locks.Lock("G", [Q0, Q1], $"c{i}"))));
            Assert.Single(held, queues => queues.Contains(Q0));
            Assert.Single(held, queues => queues.Contains(Q1));
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => _locks.Unlock("G", [Q0, Q1], $"c{i}"))));
            Assert.Equal(0, _locks.Count);
        }
    }

    [Fact]
    public async Task Locks_AfterARestart_AreHeldByWhoHeldThem()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Assert.Equal([Q0, Q1], await LockAsync(broker.Connect("p"), "c1", Q0, Q1));
        Assert.Equal([Q2], await LockAsync(broker.Connect("p"), "c2", Q1, Q2));

        await broker.RestartAsync();

        Assert.Empty(await LockAsync(broker.Connect("p"), "c2", Q0, Q1));
        Assert.Equal([Q0, Q1], await LockAsync(broker.Connect("p"), "c1", Q0, Q1, Q2));

        byte[] unlock = BodyCodec.Encode(new UnlockBatchRequestBody { ConsumerGroup = "G", ClientId = "c1", MqSet = [Q0] });
        await broker.Connect("p").AskAsync(RequestCode.UnlockBatchMQ, default(NoHeader), unlock);
        await broker.RestartAsync();

        Assert.Equal([Q0], await LockAsync(broker.Connect("p"), "c2", Q0, Q1));

        static async Task<List<MessageQueue>> LockAsync(Peer peer, string clientId, params MessageQueue[] queues) =>
            (await peer.AskAsync<NoHeader, LockBatchResponseBody>(
                RequestCode.LockBatchMQ,
                default,
                BodyCodec.Encode(new LockBatchRequestBody { ConsumerGroup = "G", ClientId = clientId, MqSet = [.. queues] }))).LockedQueues;
    }

    // As the stock Java client 5.3.3 asks, and as RocketMQ answers.
    [Fact]
    public async Task Requests_OfTheJavaClient_AreAnsweredAsRocketMqDoes()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c");
        const string Body = """
            {"clientId":"192.0.2.2@o0","consumerGroup":"GO","mqSet":[{"brokerName":"broker-a","queueId":1,"topic":"Goldenorderly"}],"onlyThisBroker":false}
            """;

        RemotingCommand locked = await peer.AskAsync(RequestCode.LockBatchMQ, default(NoHeader), Encoding.UTF8.GetBytes(Body));
        Assert.Equal(ResponseCode.Success, locked.ResponseCode);
        Assert.Equal(
            """{"lockOKMQSet":[{"brokerName":"broker-a","queueId":1,"topic":"Goldenorderly"}]}""",
            Encoding.UTF8.GetString(locked.Body));
        Assert.Equal(1, broker.Locks.Count);

        RemotingCommand unlocked = await peer.AskAsync(RequestCode.UnlockBatchMQ, default(NoHeader), Encoding.UTF8.GetBytes(Body));
        Assert.Equal(ResponseCode.Success, unlocked.ResponseCode);
        Assert.Equal(0, broker.Locks.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"clientId":"c","consumerGroup":"","mqSet":[]}""")]
    [InlineData("""{"clientId":"","consumerGroup":"G","mqSet":[]}""")]
    [InlineData("""{"clientId":"c","consumerGroup":"G","mqSet":[{"brokerName":"b","queueId":-1,"topic":"T"}]}""")]
    [InlineData("""{"clientId":"c","consumerGroup":"G","mqSet":[{"brokerName":"b","queueId":1}]}""")]
    [InlineData("""{"clientId":"c","consumerGroup":"G","mqSet":[{"queueId":1,"topic":"T"}]}""")]
    [InlineData("""{"clientId":"c","consumerGroup":"G\u0000","mqSet":[{"brokerName":"b","queueId":1,"topic":"T"}]}""")]
    [InlineData("""{"clientId":"c","consumerGroup":"G","mqSet":[null]}""")]
    public async Task Requests_Malformed_AreRefused(string body)
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();

        RemotingCommand reply = await broker.Connect("c").AskAsync(
            RequestCode.LockBatchMQ, default(NoHeader), Encoding.UTF8.GetBytes(body));

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Equal(0, broker.Locks.Count);
    }
}
