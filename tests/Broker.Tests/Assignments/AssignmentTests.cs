using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Assignments;

public sealed class AssignmentTests
{
    [Fact]
    public async Task Query_TwoConsumersThatPull_ShareTheQueues()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer first, Peer second) = await TwoConsumersAsync(broker);

        Assert.Equal(
            """{"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a","queueId":0,"topic":"T"},"mode":"PULL"},"""
            + """{"messageQueue":{"brokerName":"broker-a","queueId":1,"topic":"T"},"mode":"PULL"}]}""",
            await QueryAsync(first, "T"));
        Assert.Equal([2], await QueueIdsAsync(second, "T"));
        Assert.Equal([0, 2], await QueueIdsAsync(first, "T", "AVG_BY_CIRCLE"));
        Assert.Equal([0, 1, 2], await QueueIdsAsync(first, "T", model: MessageModel.Broadcasting));

        await second.UnregisterAsync("G");
        Assert.Equal([0, 1, 2], await QueueIdsAsync(first, "T"));
    }

    [Fact]
    public async Task Query_WhereNothingCanBeSaid_TellsNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer first, _) = await TwoConsumersAsync(broker);

        Assert.Equal("{}", await QueryAsync(first, "none"));
        Assert.Equal("{}", await QueryAsync(first, "T", "MACHINE_ROOM"));
        Assert.Equal("{}", await QueryAsync(first, "T", group: "nobody"));
        Assert.Equal("{}", await QueryAsync(broker.Connect(""), "T"));
        RemotingCommand refused = await first.AskAsync(
            RequestCode.QueryAssignment,
            default(NoHeader),
            BodyCodec.Encode(new QueryAssignmentRequestBody { ClientId = "c1", ConsumerGroup = "G", Topic = new string('t', 513) }));
        Assert.Equal(ResponseCode.InvalidParameter, refused.ResponseCode);
    }

    [Fact]
    public async Task SetMode_ToPop_TellsConsumersToPopWhateverQueue_AlsoAfterARestart()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer first, _) = await TwoConsumersAsync(broker);
        Assert.Equal(ResponseCode.Success, (await SetModeAsync(first, "T", "G", 0)).ResponseCode);

        Assert.Equal(
            """{"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a","queueId":-1,"topic":"T"},"mode":"POP"}]}""",
            await QueryAsync(first, "T"));
        Assert.Equal(
            """{"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a","queueId":0,"topic":"%RETRY%G"},"mode":"PULL"}]}""",
            await QueryAsync(first, "%RETRY%G"));

        await broker.RestartAsync();
        (first, _) = await TwoConsumersAsync(broker);
        Assert.Equal([-1], await QueueIdsAsync(first, "T"));
        Assert.Equal(
            """{"messageRequestModeMap":{"T":{"G":{"consumerGroup":"G","mode":"POP","popShareQueueNum":0,"topic":"T"}}}}""",
            Encoding.UTF8.GetString((await first.AskAsync(RequestCode.GetAllMessageRequestMode, default(NoHeader))).Body));

        await first.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader { Topic = "T" });
        await first.CreateTopicAsync("T", 3);
        Assert.Equal([0, 1], await QueueIdsAsync(first, "T"));
    }

    [Fact]
    public async Task SetMode_OfWhatIsNotThere_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        Peer admin = broker.Connect("a");
        await admin.CreateTopicAsync("T", 1);

        Assert.Equal(
            (ResponseCode.NoPermission, "retry topic is not allowed to set mode"), Outcome(await SetModeAsync(admin, "%RETRY%G", "G", 0)));
        Assert.Equal((ResponseCode.TopicNotExist, "topic[none] not exist"), Outcome(await SetModeAsync(admin, "none", "G", 0)));
        Assert.Equal(
            (ResponseCode.SubscriptionGroupNotExist, "subscription group does not exist"), Outcome(await SetModeAsync(admin, "T", "G", 0)));
    }

    [Fact]
    public async Task Settings_OfTheBroker_CountWhereNothingWasSet()
    {
        await using RunningBroker popping = await RunningBroker.StartAsync(("defaultMessageRequestMode", "POP"));
        (Peer first, _) = await TwoConsumersAsync(popping);
        Assert.Equal([-1], await QueueIdsAsync(first, "T"));
        Assert.Contains("PULL", await QueryAsync(first, "%RETRY%G"), StringComparison.Ordinal);

        await using RunningBroker sharing = await RunningBroker.StartAsync(("serverLoadBalancerEnable", "false"));
        (first, _) = await TwoConsumersAsync(sharing);
        Assert.Equal([0, 1, 2], await QueueIdsAsync(first, "T"));
    }

    [Fact]
    public async Task Query_TopicOfSeveralBrokers_SharesTheQueuesOfAll()
    {
        var asked = new ConcurrentQueue<string>();
        int queuesElsewhere = 2;
        await using TestServer nameServer = await TestServer.StartAsync(NameServer(topic =>
        {
            asked.Enqueue(topic);
            return topic == "T" ? Route(("broker-b", Volatile.Read(ref queuesElsewhere)), ("broker-a", 3)) : null;
        }));
        await using RunningBroker broker = await RunningBroker.StartAsync(
            ("namesrvAddr", $"{FreePorts.ClosedAddress()};{nameServer.Address}"), ("loadBalancePollNameServerInterval", "1000"));
        (Peer first, Peer second) = await TwoConsumersAsync(broker);

        Assert.Equal([("broker-a", 0), ("broker-a", 1), ("broker-a", 2)], await QueuesAsync(first, "T"));
        Assert.Equal([("broker-b", 0), ("broker-b", 1)], await QueuesAsync(second, "T"));
        Assert.Equal([("broker-a", 0)], await QueuesAsync(first, "%RETRY%G"));

        Volatile.Write(ref queuesElsewhere, 5);
        int before = asked.Count;
        await Eventually.TrueAsync(() => asked.Skip(before).Count(topic => topic == "T") > 1, "the route is to be asked for again");
        Assert.Equal([("broker-b", 1), ("broker-b", 2), ("broker-b", 3), ("broker-b", 4)], await QueuesAsync(second, "T"));

        // What is known is used on when nobody answers any more.
        await nameServer.DisposeAsync();
        Assert.Equal([("broker-b", 1), ("broker-b", 2), ("broker-b", 3), ("broker-b", 4)], await QueuesAsync(second, "T"));
        Assert.Equal("{}", await QueryAsync(first, "%RETRY%G"));
    }

    [Fact]
    public async Task Query_ANameServerThatWasAwayDeniesTheTopic_IsAnsweredByTheOther()
    {
        await using TestServer away = await TestServer.StartAsync(NameServer(_ => null));
        await using TestServer knowing = await TestServer.StartAsync(
            NameServer(topic => topic == "T" ? Route(("broker-b", 2), ("broker-a", 3)) : null));
        await using RunningBroker broker = await RunningBroker.StartAsync(("namesrvAddr", $"{away.Address};{knowing.Address}"));
        (Peer first, Peer second) = await TwoConsumersAsync(broker);

        Assert.Equal([("broker-a", 0), ("broker-a", 1), ("broker-a", 2)], await QueuesAsync(first, "T"));
        Assert.Equal([("broker-b", 0), ("broker-b", 1)], await QueuesAsync(second, "T"));
    }

    [Fact]
    public async Task Query_TopicWhoseRouteIsKnown_AsksNoNameServerAgain()
    {
        var asked = new ConcurrentQueue<string>();
        await using TestServer nameServer = await TestServer.StartAsync(NameServer(topic =>
        {
            asked.Enqueue(topic);
            return Route(("broker-a", 3));
        }));
        await using RunningBroker broker = await RunningBroker.StartAsync(
            ("namesrvAddr", nameServer.Address), ("loadBalancePollNameServerInterval", "600000"));
        (Peer first, Peer second) = await TwoConsumersAsync(broker);

        await QueryAsync(first, "T");
        await QueryAsync(second, "T");

        Assert.Single(asked, "T");
    }

    private static async Task<(Peer First, Peer Second)> TwoConsumersAsync(RunningBroker broker)
    {
        Peer first = broker.Connect("c1");
        await first.CreateTopicAsync("T", 3);
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        Peer second = broker.Connect("c2");
        await second.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        return (first, second);
    }

    private static async Task<string> QueryAsync(
        Peer peer, string topic, string rule = "AVG", MessageModel model = MessageModel.Clustering, string group = "G")
    {
        var question = new QueryAssignmentRequestBody
        {
            ClientId = peer.Id,
            ConsumerGroup = group,
            MessageModel = model,
            StrategyName = rule,
            Topic = topic,
        };
        RemotingCommand reply = await peer.AskAsync(RequestCode.QueryAssignment, default(NoHeader), BodyCodec.Encode(question));
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return Encoding.UTF8.GetString(reply.Body);
    }

    private static async Task<IEnumerable<(string Broker, int QueueId)>> QueuesAsync(
        Peer peer, string topic, string rule = "AVG", MessageModel model = MessageModel.Clustering)
    {
        byte[] body = Encoding.UTF8.GetBytes(await QueryAsync(peer, topic, rule, model));
        return BodyCodec.Decode<QueryAssignmentResponseBody>(body.AsSpan()).MessageQueueAssignments!
            .Select(assignment => (assignment.MessageQueue.BrokerName, assignment.MessageQueue.QueueId));
    }

    private static async Task<IEnumerable<int>> QueueIdsAsync(
        Peer peer, string topic, string rule = "AVG", MessageModel model = MessageModel.Clustering) =>
        (await QueuesAsync(peer, topic, rule, model)).Select(queue => queue.QueueId);

    private static Task<RemotingCommand> SetModeAsync(Peer peer, string topic, string group, int share) => peer.AskAsync(
        RequestCode.SetMessageRequestMode,
        default(NoHeader),
        BodyCodec.Encode(new SetMessageRequestModeRequestBody
        {
            ConsumerGroup = group,
            Mode = MessageRequestMode.Pop,
            PopShareQueueNum = share,
            Topic = topic,
        }));

    private static (ResponseCode Code, string? Remark) Outcome(RemotingCommand reply) => (reply.ResponseCode, reply.Remark);

    /// <summary>What a name server answers that tells these routes.</summary>
    internal static RequestTable NameServer(Func<string, TopicRouteData?> find) => new RequestTable()
        .On<RegisterBrokerHeader>(RequestCode.RegisterBroker, (request, _) => Succeed(request))
        .On<UnregisterBrokerHeader>(RequestCode.UnregisterBroker, (request, _) => Succeed(request))
        .On<GetRouteInfoHeader>(RequestCode.GetRouteInfoByTopic, (request, header) =>
        {
            if (find(Encoding.UTF8.GetString(header.TopicUtf8.Span)) is { } route)
            {
                request.Reply(BodyCodec.Encode(route));
            }
            else
            {
                request.Reply(ResponseCode.TopicNotExist, "no route");
            }

            return ValueTask.CompletedTask;
        });

    private static ValueTask Succeed(RemotingRequest request)
    {
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private static TopicRouteData Route(params (string Broker, int Queues)[] brokers) => new()
    {
        QueueDatas =
        [
            .. brokers.Select(each => new QueueData { BrokerName = each.Broker, Perm = 6, ReadQueueNums = each.Queues, WriteQueueNums = 1 }),
            new QueueData { BrokerName = "broker-c", Perm = 2, ReadQueueNums = 9, WriteQueueNums = 9 },
        ],
    };
}
