using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Client.Tests.Producers;

public sealed class ProducerTests : IAsyncLifetime
{
    private const string Topic = "orders";

    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _a = null!;
    private ScriptedBroker _b = null!;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _a = await ScriptedBroker.StartAsync("a");
        _b = await ScriptedBroker.StartAsync("b");
        _nameServer.With(Topic, 2, _a, _b);
    }

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    [Fact]
    public async Task SendAsync_ToTwoBrokers_TakesAllQueuesInTurn()
    {
        await using Producer producer = New();

        var queues = new List<MessageQueue>();
        for (int i = 0; i < 8; i++)
        {
            SendResult result = await producer.SendAsync(Message());
            Assert.Equal(SendStatus.Ok, result.Status);
            queues.Add(result.Queue);
        }

        Assert.Equal(queues[..4], queues[4..]);
        Assert.Equal([new(Topic, "a", 0), new(Topic, "a", 1), new(Topic, "b", 0), new(Topic, "b", 1)], queues[..4].Order());
        SentMessage sent = _a.Sent.First();
        Assert.Equal(RequestCode.SendMessageV2, sent.Code);
        Assert.Equal("GRAYMQ_PRODUCER", sent.Group);
        Assert.Equal("TBW102", sent.DefaultTopic);
        Assert.Equal("hello", Encoding.UTF8.GetString(sent.Body));
        Assert.Equal(1, _nameServer.Asked);
    }

    [Theory]
    [InlineData(ResponseCode.SystemError)]
    [InlineData(ResponseCode.SystemBusy)]
    [InlineData(ResponseCode.ServiceNotAvailable)]
    [InlineData(ResponseCode.TopicNotExist)]
    [InlineData(ResponseCode.NoPermission)]
    [InlineData(ResponseCode.NoBuyerId)]
    [InlineData(ResponseCode.NotInCurrentUnit)]
    [InlineData(ResponseCode.GoAway)]
    public async Task SendAsync_BrokerRefusesForItsOwnReasons_GoesToTheOther(ResponseCode code)
    {
        _a.Refuse(RequestCode.SendMessageV2, code);
        await using Producer producer = New();

        for (int i = 0; i < 4; i++)
        {
            Assert.Equal("b", (await producer.SendAsync(Message())).Queue.BrokerName);
        }

        Assert.Equal(4, _b.Sent.Count);
    }

    [Fact]
    public async Task SendAsync_ShardingKey_GoesToTheQueueOfItsHash()
    {
        await using Producer producer = New();

        foreach (string key in (string[])["a", "b", "c", "a", "b", "c"])
        {
            await producer.SendAsync(new Message(Topic, "x"u8.ToArray()) { ShardingKey = key });
        }

        var queues = _a.Sent.Concat(_b.Sent).ToLookup(sent => sent.Properties["__SHARDINGKEY"], sent => (sent.Topic, sent.QueueId));
        Assert.Equal(3, queues.Count);
        Assert.All(queues, key => Assert.Single(key.Distinct()));
        MessageQueue hashed = QueueSelectors.ByHash("b")(await producer.GetQueuesAsync(Topic), new Message(Topic, "x"u8.ToArray()));
        Assert.Equal(hashed.QueueId, queues["b"].First().QueueId);
    }

    [Theory]
    [InlineData("", typeof(FormatException))]
    [InlineData("nonsense", typeof(FormatException))]
    [InlineData("djIgb3JkZXJzIGEgMSBpZA==", typeof(FormatException))]
    [InlineData("djEgb3RoZXJzIGEgMSBpZA==", typeof(ArgumentException))]
    [InlineData("djEgb3JkZXJzIGdvbmUgMSBpZA==", typeof(RouteNotFoundException))]
    public async Task RecallAsync_HandleThatCannotBe_IsRefusedHere(string handle, Type expected)
    {
        await using Producer producer = New();

        await Assert.ThrowsAsync(expected, () => producer.RecallAsync(Topic, handle));
    }

    [Fact]
    public async Task SendAsync_RetriedMessage_KeepsItsId()
    {
        _a.Refuse(RequestCode.SendMessageV2, ResponseCode.SystemBusy);
        _b.Refuse(RequestCode.SendMessageV2, ResponseCode.SystemBusy, times: 1);
        await using Producer producer = New(options => options.Retries = 3);

        SendResult result = await producer.SendAsync(Message());

        Assert.Equal("b", result.Queue.BrokerName);
        Assert.Equal(2, _b.Sent.Count);
        Assert.All(_a.Sent.Concat(_b.Sent), sent => Assert.Equal(result.MessageId, sent.Properties["UNIQ_KEY"]));
    }

    [Fact]
    public async Task SendAsync_RefusalThatHoldsEverywhere_IsNotRetried()
    {
        _a.Refuse(RequestCode.SendMessageV2, ResponseCode.MessageIllegal);
        _b.Refuse(RequestCode.SendMessageV2, ResponseCode.MessageIllegal);
        await using Producer producer = New();

        BrokerException refused = await Assert.ThrowsAsync<BrokerException>(() => producer.SendAsync(Message()));

        Assert.Equal(ResponseCode.MessageIllegal, refused.Code);
        Assert.Equal("scripted", refused.Remark);
        Assert.Equal(1, _a.Sent.Count + _b.Sent.Count);
    }

    [Fact]
    public async Task SendAsync_AllAttemptsFail_NamesTheBrokersInOrder()
    {
        _a.Refuse(RequestCode.SendMessageV2, ResponseCode.SystemBusy);
        _b.Refuse(RequestCode.SendMessageV2, ResponseCode.SystemBusy);
        await using Producer producer = New(options => options.Retries = 3);

        SendFailedException failed = await Assert.ThrowsAsync<SendFailedException>(() => producer.SendAsync(Message()));

        Assert.Equal(4, failed.Brokers.Count);
        Assert.NotEqual(failed.Brokers[0], failed.Brokers[1]);
        Assert.Equal(ResponseCode.SystemBusy, Assert.IsType<BrokerException>(failed.InnerException).Code);
    }

    [Fact]
    public async Task SendAsync_BrokerSaysThatItLeaves_GoesToTheOtherFromThenOn()
    {
        await using Producer producer = New();

        // What it says first is the answer to a heartbeat, over the new connection: that it stays.
        while (_a.Sent.IsEmpty || _b.Sent.IsEmpty)
        {
            await producer.SendAsync(Message());
        }

        await Eventually.TrueAsync(() => !_a.Heartbeats.IsEmpty && !_b.Heartbeats.IsEmpty, "both know the producer");
        int stayed = _a.Sent.Count;
        _a.Script(RequestCode.SendMessageV2, request =>
        {
            request.Reply(new SendMessageResponseHeader { MessageId = "0", QueueId = 0, QueueOffset = 0, Leaving = true });
            return new(true);
        });
        while (_a.Sent.Count == stayed)
        {
            Assert.Equal(SendStatus.Ok, (await producer.SendAsync(Message())).Status);
        }

        int before = _a.Sent.Count;
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal("b", (await producer.SendAsync(Message())).Queue.BrokerName);
        }

        Assert.Equal(before, _a.Sent.Count);
    }

    [Fact]
    public async Task SendAsync_BrokerIsGone_GoesToTheOtherAndAvoidsIt()
    {
        await _a.DisposeAsync();
        await using Producer producer = New();

        for (int i = 0; i < 6; i++)
        {
            Assert.Equal("b", (await producer.SendAsync(Message())).Queue.BrokerName);
        }
    }

    [Fact]
    public async Task SendAsync_BrokerDoesNotAnswer_GivesUpAtTheTimeLimit()
    {
        _a.Script(RequestCode.SendMessageV2, _ => new(true));
        _nameServer.With(Topic, 1, _a);
        await using Producer producer = New(options => options.SendTimeout = TimeSpan.FromMilliseconds(200));

        SendFailedException failed = await Assert.ThrowsAsync<SendFailedException>(() => producer.SendAsync(Message()));

        Assert.IsType<TimeoutException>(failed.InnerException);
        Assert.Single(_a.Sent);
    }

    [Fact]
    public async Task SendAsync_AttemptHasALimitOfItsOwn_LeavesTimeForTheOther()
    {
        _a.Script(RequestCode.SendMessageV2, _ => new(true));
        await using Producer producer = New(options =>
        {
            options.AttemptTimeout = TimeSpan.FromMilliseconds(50);
            options.SendTimeout = TimeSpan.FromSeconds(15);
        });

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("b", (await producer.SendAsync(Message())).Queue.BrokerName);
        }
    }

    [Theory]
    [InlineData(ResponseCode.FlushDiskTimeout, SendStatus.FlushDiskTimeout)]
    [InlineData(ResponseCode.FlushSlaveTimeout, SendStatus.FlushReplicaTimeout)]
    [InlineData(ResponseCode.SlaveNotAvailable, SendStatus.ReplicaNotAvailable)]
    public async Task SendAsync_StoredLessSurely_SaysSo(ResponseCode code, SendStatus expected)
    {
        _nameServer.With(Topic, 1, _a);
        _a.Script(RequestCode.SendMessageV2, request =>
        {
            var header = new Protocol.Headers.Broker.SendMessageResponseHeader { MessageId = "id", QueueId = 0, QueueOffset = 5 };
            request.Responder.Reply(code, "slow", header);
            return new(true);
        });
        await using Producer producer = New();

        SendResult result = await producer.SendAsync(Message());

        Assert.Equal(expected, result.Status);
        Assert.Equal(5, result.QueueOffset);
        Assert.Single(_a.Sent);
    }

    [Fact]
    public async Task SendAsync_StoredLessSurelyAndRetryWanted_SendsToAnotherBroker()
    {
        _a.Script(RequestCode.SendMessageV2, request =>
        {
            var header = new Protocol.Headers.Broker.SendMessageResponseHeader { MessageId = "id", QueueId = 0, QueueOffset = 5 };
            request.Responder.Reply(ResponseCode.FlushDiskTimeout, "slow", header);
            return new(true);
        });
        await using Producer producer = New(options => options.RetryWhenNotStoredSurely = true);

        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(SendStatus.Ok, (await producer.SendAsync(Message())).Status);
        }
    }

    [Fact]
    public async Task SendAsync_TopicDoesNotExist_UsesTheRouteThatTopicsAreCreatedAfter()
    {
        _nameServer.With("TBW102", 8, _a, _b);
        await using Producer producer = New(options => options.DefaultTopicQueueCount = 3);

        SendResult result = await producer.SendAsync(new Message("new", "x"u8.ToArray()));

        Assert.InRange(result.Queue.QueueId, 0, 2);
        Assert.Equal(6, (await producer.GetQueuesAsync("new")).Count);
    }

    [Fact]
    public async Task SendAsync_TopicDoesNotExistAndNoneIsCreated_ThrowsRouteNotFound()
    {
        await using Producer producer = New();

        await Assert.ThrowsAsync<RouteNotFoundException>(() => producer.SendAsync(new Message("new", "x"u8.ToArray())));
    }

    [Fact]
    public async Task SendAsync_NameServersAreAway_UsesTheRouteThatIsKnown()
    {
        await using Producer producer = New(options =>
        {
            options.RouteRefreshInterval = TimeSpan.FromMilliseconds(20);
            options.RequestTimeout = TimeSpan.FromMilliseconds(200);
        });
        await producer.SendAsync(Message());

        await _nameServer.DisposeAsync();

        for (int i = 0; i < 4; i++)
        {
            await producer.SendAsync(Message());
        }
    }

    [Fact]
    public async Task SendAsync_NoNameServerAnswers_ThrowsNameServersUnavailable()
    {
        await _nameServer.DisposeAsync();
        await using Producer producer = New();

        await Assert.ThrowsAsync<NameServersUnavailableException>(() => producer.SendAsync(Message()));
    }

    [Fact]
    public async Task SendAsync_OneOfTwoNameServersIsAway_AsksTheOther()
    {
        await using ScriptedNameServer away = await ScriptedNameServer.StartAsync();
        string addresses = $"{away.Address};{_nameServer.Address}";
        await away.DisposeAsync();

        for (int i = 0; i < 4; i++)
        {
            await using Producer producer = New(options => options.NameServers = addresses);
            await producer.SendAsync(Message());
        }
    }

    [Fact]
    public async Task SendAsync_TopicGetsMoreQueues_TheyAreUsedAfterTheNextRefresh()
    {
        await using Producer producer = New(options => options.RouteRefreshInterval = TimeSpan.FromMilliseconds(20));
        Assert.Equal(4, (await producer.GetQueuesAsync(Topic)).Count);

        _nameServer.With(Topic, 3, _a);

        await Eventually.TrueAsync(() => producer.GetQueuesAsync(Topic).Result.Count == 3, "the new route is used");
        Assert.Equal("a", (await producer.SendAsync(Message())).Queue.BrokerName);
    }

    [Fact]
    public async Task SendAsync_WithSelector_GoesWhereItSays()
    {
        await using Producer producer = New();

        SendResult result = await producer.SendAsync(Message(), (queues, _) => queues[^1]);

        Assert.Equal(new MessageQueue(Topic, "b", 1), result.Queue);
    }

    [Fact]
    public async Task SendAsync_ToAQueueWhoseBrokerRefuses_IsNotRetried()
    {
        _a.Refuse(RequestCode.SendMessageV2, ResponseCode.SystemBusy);
        await using Producer producer = New();

        await Assert.ThrowsAsync<BrokerException>(() => producer.SendAsync(Message(), new MessageQueue(Topic, "a", 0)));

        Assert.Single(_a.Sent);
        Assert.Empty(_b.Sent);
    }

    [Fact]
    public async Task SendBatchAsync_TwoMessages_GoInOneRequest()
    {
        await using Producer producer = New();

        SendResult result = await producer.SendBatchAsync([Message(), Message()]);

        SentMessage sent = Assert.Single(_a.Sent.Concat(_b.Sent));
        Assert.Equal(RequestCode.SendBatchMessage, sent.Code);
        Assert.True(sent.Batch);
        Assert.Equal(2, result.MessageId.Split(',').Length);
    }

    [Fact]
    public async Task SendOneWayAsync_WantsNoAnswer()
    {
        await using Producer producer = New();

        await producer.SendOneWayAsync(Message());

        await Eventually.TrueAsync(() => _a.Sent.Count + _b.Sent.Count == 1, "the message arrived");
        Assert.True(_a.Sent.Concat(_b.Sent).Single().OneWay);
    }

    [Fact]
    public async Task SendAsync_BinaryHeaders_AreUnderstood()
    {
        await using Producer producer = New(options => options.SerializeType = SerializeType.RocketMq);

        Assert.Equal(SendStatus.Ok, (await producer.SendAsync(Message())).Status);
    }

    [Fact]
    public async Task FirstSend_TellsTheBrokersWhoItIs()
    {
        await using Producer producer = New(options => options.Group = "pg");
        await producer.SendAsync(Message());

        await Eventually.TrueAsync(() => !_a.Heartbeats.IsEmpty && !_b.Heartbeats.IsEmpty, "both brokers got a heartbeat");
        HeartbeatData heartbeat = _a.Heartbeats.First();
        Assert.Equal(producer.ClientId, heartbeat.ClientId);
        Assert.Equal("pg", Assert.Single(heartbeat.ProducerDataSet).GroupName);
    }

    [Fact]
    public async Task DisposeAsync_WhileASendIsUnderWay_LetsItEnd()
    {
        var arrived = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        _nameServer.With(Topic, 1, _a);
        _a.Script(RequestCode.SendMessageV2, async _ =>
        {
            arrived.SetResult();
            await answer.Task;
            return false;
        });
        Producer producer = New(options => options.SendTimeout = Eventually.Deadline);
        Task<SendResult> sending = producer.SendAsync(Message());
        await arrived.Task;
        await Eventually.TrueAsync(() => !_a.Heartbeats.IsEmpty, "the broker knows the producer");

        Task disposing = producer.DisposeAsync().AsTask();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => producer.SendAsync(Message()));
        Assert.False(disposing.IsCompleted);
        answer.SetResult();
        Assert.Equal(SendStatus.Ok, (await sending).Status);
        await disposing;
        Assert.Equal(producer.ClientId, Assert.Single(_a.Unregistered).ClientId);
    }

    [Fact]
    public void Constructor_WrongOptions_NamesAllOfThem()
    {
        var options = new ProducerOptions { NameServers = "nowhere", Group = "a b", Retries = -1 };

        string message = Assert.Throws<ArgumentException>(() => new Producer(options)).Message;

        Assert.Contains("NameServers", message, StringComparison.Ordinal);
        Assert.Contains("Group", message, StringComparison.Ordinal);
        Assert.Contains("Retries is -1", message, StringComparison.Ordinal);
    }

    private static Message Message() => new(Topic, "hello"u8.ToArray());

    private Producer New(Action<ProducerOptions>? change = null)
    {
        var options = new ProducerOptions { NameServers = _nameServer.Address, SendTimeout = TimeSpan.FromSeconds(10) };
        change?.Invoke(options);
        return new Producer(options);
    }
}
