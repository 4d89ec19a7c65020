using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Clients;

public class HeartbeatTests
{
    // As the stock Java client 5.3.3 sends it.
    private const string JavaHeartbeat = """
        {"clientID":"192.0.2.2@28640#7676123051291","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",
        "consumeType":"CONSUME_PASSIVELY","groupName":"GC","messageModel":"CLUSTERING","subscriptionDataSet":[
        {"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1795293706162,"tagsSet":[],
        "topic":"%RETRY%GC"},{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG",
        "subString":"TagA || TagB","subVersion":1795293706156,"tagsSet":["TagA","TagB"],"topic":"Golden"}],"unitMode":false}],
        "heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}
        """;

    // As the C++ client does: enums as numbers, no V2 fields.
    private const string CppHeartbeat = """
        {"clientID":"192.0.2.3@77@DEFAULT","consumerDataSet":[{"consumeFromWhere":4,"consumeType":1,"groupName":"GC",
        "messageModel":1,"subscriptionDataSet":[{"codeSet":[],"subString":"*","subVersion":12,"tagsSet":[],"topic":"Golden"}]}],
        "producerDataSet":[]}
        """;

    // As the Go client does: hash codes as text, no V2 fields.
    private const string GoHeartbeat = """
        {"clientID":"192.0.2.4@88","producerDataSet":[{"groupName":"P"}],"consumerDataSet":[{"groupName":"GC",
        "consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",
        "subscriptionDataSet":[{"classFilterMode":false,"topic":"Golden","subString":"TagA || TagB","tagsSet":["TagA","TagB"],
        "codeSet":["2598919","2598920"],"subVersion":1795293706156000000,"expressionType":"TAG"}],"unitMode":false}]}
        """;

    // As ali-ons does: no type of expression.
    private const string AliOnsHeartbeat = """
        {"clientID":"192.0.2.5@99@","consumerDataSet":[{"groupName":"GC","consumeType":"CONSUME_PASSIVELY",
        "messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[{"topic":"Golden",
        "subString":"TagA || TagB","classFilterMode":false,"tagsSet":["TagA","TagB"],"codeSet":[2598919,2598920],
        "subVersion":1795293706156}],"unitMode":false}],"producerDataSet":[]}
        """;

    [Theory]
    [InlineData(GoHeartbeat)]
    [InlineData(AliOnsHeartbeat)]
    public async Task Heartbeat_OfOtherClients_IsUnderstoodInFull(string json)
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();

        RemotingCommand reply = await broker.Connect("").HeartbeatAsync(json);

        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        ConsumerGroup group = broker.Consumers.Find("GC"u8)!;
        Assert.Equal(
            new ConsumerTraits(ConsumeType.Passively, MessageModel.Clustering, ConsumeFromWhere.FirstOffset, UnitMode: false),
            group.Traits);
        Assert.Equal([2598919, 2598920], group.FindSubscription("Golden"u8)!.Expression.Tags!.Codes.ToArray());
    }

    [Fact]
    public async Task Heartbeat_OfTheJavaClient_IsUnderstoodInFull()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("");

        RemotingCommand reply = await peer.HeartbeatAsync(JavaHeartbeat);

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Null(reply.Remark);
        Assert.Equal("true", reply.Fields.GetString("IS_SUPPORT_HEART_BEAT_V2"u8));
        Assert.Equal("true", reply.Fields.GetString("IS_SUB_CHANGE"u8));
        ConsumerGroup group = broker.Consumers.Find("GC"u8)!;
        Assert.Equal(
            new ConsumerTraits(ConsumeType.Passively, MessageModel.Clustering, ConsumeFromWhere.FirstOffset, UnitMode: false),
            group.Traits);
        Subscription subscription = group.FindSubscription("Golden"u8)!;
        Assert.Equal(1795293706156, subscription.SubVersion);
        Assert.Equal(["TagA", "TagB"], subscription.Expression.Tags!.Tags);
        Assert.Equal([2598919, 2598920], subscription.Expression.Tags.Codes.ToArray());
        Assert.True(group.FindSubscription("%RETRY%GC"u8)!.Expression.Tags!.MatchesAll);
        Assert.Null(group.FindSubscription("Other"u8));
        ConsumerClient client = Assert.Single(group.Clients);
        Assert.Equal("192.0.2.2@28640#7676123051291", client.ClientId);
        Assert.Single(broker.Producers.ClientsOf("CLIENT_INNER_PRODUCER"));
    }

    [Fact]
    public async Task Heartbeat_OfTheCppClient_IsUnderstoodInFull()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();

        RemotingCommand reply = await broker.Connect("").HeartbeatAsync(CppHeartbeat);

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        ConsumerGroup group = broker.Consumers.Find("GC"u8)!;
        Assert.Equal(
            new ConsumerTraits(ConsumeType.Passively, MessageModel.Clustering, ConsumeFromWhere.FirstOffset, UnitMode: false),
            group.Traits);
        Assert.NotNull(group.FindSubscription("Golden"u8));
    }

    [Fact]
    public async Task Heartbeat_SecondClient_TellsAllClientsOfTheGroup()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        Peer second = broker.Connect("c2");
        Peer other = broker.Connect("c3");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await other.HeartbeatAsync("H", [ClientsFixture.To("T")]);
        await Eventually.TrueAsync(() => first.Notified.Count == 1 && other.Notified.Count == 1, "the first are told of themselves");

        await second.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await Eventually.TrueAsync(() => first.Notified.Count == 2 && second.Notified.Count == 1, "both are told");

        // The same again changes nothing; the broker has answered both when the list has come.
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await second.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        GetConsumerListByGroupResponseBody list = await ListAsync(first, "G");
        Assert.Equal(["c1", "c2"], list.ConsumerIdList.Order());
        Assert.Equal(["G", "G"], first.Notified);
        Assert.Equal(["G"], second.Notified);
        Assert.Equal(["H"], other.Notified);
    }

    [Fact]
    public async Task Heartbeat_OfBroadcastOrSilentGroup_TellsNobody()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        broker.Groups.Put(new SubscriptionGroupConfig { GroupName = "Silent", NotifyConsumerIdsChangedEnable = false });
        Peer peer = broker.Connect("c1");

        await peer.HeartbeatAsync("Broadcast", [ClientsFixture.To("T")], model: MessageModel.Broadcasting);
        await peer.HeartbeatAsync("Silent", [ClientsFixture.To("T")]);
        await peer.HeartbeatAsync("Loud", [ClientsFixture.To("T")]);

        await Eventually.TrueAsync(() => !peer.Notified.IsEmpty, "the loud group is told");
        Assert.Equal(["Loud"], peer.Notified);
    }

    [Fact]
    public async Task Heartbeat_NewTopics_ReplaceTheGroupsAndTellIt()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("A", version: 5), ClientsFixture.To("B", version: 5)]);
        await Eventually.TrueAsync(() => peer.Notified.Count == 1, "joined");

        await peer.HeartbeatAsync("G", [ClientsFixture.To("B", version: 5), ClientsFixture.To("C", version: 5)]);

        await Eventually.TrueAsync(() => peer.Notified.Count == 2, "topics changed");
        ConsumerGroup group = broker.Consumers.Find("G")!;
        Assert.Null(group.FindSubscription("A"));
        Assert.NotNull(group.FindSubscription("B"));
        Assert.NotNull(group.FindSubscription("C"));
        Assert.Equal(["G"], broker.Consumers.GroupsOf("C"));
        Assert.Empty(broker.Consumers.GroupsOf("A"));
    }

    [Theory]
    [InlineData(4, "TagA")]
    [InlineData(5, "TagA")]
    [InlineData(6, "TagB")]
    public async Task Heartbeat_OtherExpression_CountsWhenItsVersionIsNewer(long version, string expected)
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        Peer second = broker.Connect("c2");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T", "TagA", 5)]);

        await second.HeartbeatAsync("G", [ClientsFixture.To("T", "TagB", version)]);

        ConsumerGroup group = broker.Consumers.Find("G")!;
        Assert.Equal([expected], group.FindSubscription("T")!.Expression.Tags!.Tags);
        Assert.Equal(["TagB"], group.FindClient("c2")!.Subscriptions.Find("T")!.Expression.Tags!.Tags);
        Assert.Equal(["TagA"], group.FindClient("c1")!.Subscriptions.Find("T")!.Expression.Tags!.Tags);
    }

    [Fact]
    public async Task Heartbeat_FirstClientAfterAllHaveGone_CountsWhateverItsVersion()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T", "TagA", 500)]);
        await broker.DisconnectAsync(first);
        await Eventually.TrueAsync(() => broker.Consumers.FindOnline("G") is null, "offline");

        await broker.Connect("c2").HeartbeatAsync("G", [ClientsFixture.To("T", "TagB", 3)]);

        Assert.Equal(["TagB"], broker.Consumers.Find("G")!.FindSubscription("T")!.Expression.Tags!.Tags);
    }

    [Fact]
    public async Task Heartbeat_GroupThatMayNotBe_IsPassedOver()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync(
            groups: new GroupOptions { AutoCreateSubscriptionGroup = false });
        Peer peer = broker.Connect("c1");

        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        Assert.Null(broker.Consumers.Find("G"));
        Assert.Null(broker.Topics.Find("%RETRY%G"));
    }

    [Fact]
    public async Task Heartbeat_FirstOfAGroup_CreatesGroupAndRetryTopic()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        broker.Groups.Put(new SubscriptionGroupConfig { GroupName = "Known", RetryQueueNums = 3 });
        broker.Topics.Put(new TopicConfig { TopicName = "Ordered", Order = true });
        Peer peer = broker.Connect("c1");

        await peer.HeartbeatAsync("New", [ClientsFixture.To("T")]);
        await peer.HeartbeatAsync("Known", [ClientsFixture.To("Ordered")], fingerprint: 7);

        Assert.NotNull(broker.Groups.FindExisting("New"));
        TopicConfig retryOfNew = broker.Topics.Find("%RETRY%New")!.Config;
        Assert.Equal((1, 1, 6, false), (retryOfNew.ReadQueueNums, retryOfNew.WriteQueueNums, retryOfNew.Perm, retryOfNew.Order));
        TopicConfig retryOfKnown = broker.Topics.Find("%RETRY%Known")!.Config;
        Assert.Equal((3, 3, 6, true), (retryOfKnown.ReadQueueNums, retryOfKnown.WriteQueueNums, retryOfKnown.Perm, retryOfKnown.Order));

        // A heartbeat that leaves its topics out says nothing of their order.
        DataVersion version = broker.Topics.Version;
        await peer.HeartbeatAsync("Known", null, fingerprint: 7);
        Assert.True(broker.Topics.Find("%RETRY%Known")!.Config.Order);
        Assert.Equal(version, broker.Topics.Version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("[]")]
    [InlineData("""{"clientID":""}""")]
    [InlineData("""{"clientID":"a\u0000b"}""")]
    [InlineData("""{"clientID":"c","consumerDataSet":[{"groupName":""}]}""")]
    [InlineData("""{"clientID":"c","producerDataSet":[{}]}""")]
    [InlineData("""{"clientID":"c","consumerDataSet":[{"groupName":"G","subscriptionDataSet":[{"subString":"*"}]}]}""")]
    [InlineData("""{"clientID":"c","consumerDataSet":[null]}""")]
    public async Task Heartbeat_Malformed_IsRefusedAndTheConnectionGoesOn(string json)
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");

        RemotingCommand reply = await peer.HeartbeatAsync(json);

        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Matches("^(the heartbeat |HeartbeatData: )", reply.Remark);
        Assert.Empty(broker.Consumers.Groups);
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        Assert.False(peer.WasClosed);
    }

    [Fact]
    public async Task Heartbeat_BeyondALimit_IsRefused()
    {
        ClientLimits limits = ClientLimits.Default with
        {
            MaxHeartbeatBytes = 2000,
            MaxGroupsPerConnection = 2,
            MaxSubscriptionsPerGroup = 2,
            MaxTopicLength = 5,
            MaxGroupLength = 5,
        };
        await using ClientsFixture broker = await ClientsFixture.StartAsync(limits);
        Peer peer = broker.Connect("c1");

        await RefusedAsync($$"""{"clientID":"{{new string('x', 2000)}}"}""", "2000 are the limit");
        await RefusedAsync(Consumer("TooLong"), "7 characters");
        await RefusedAsync(Consumer("G", "A", "B", "C"), "3 subscriptions");
        await RefusedAsync(Consumer("G", "TooLong"), "7 characters");
        await peer.HeartbeatAsync("G1", []);
        await peer.HeartbeatAsync("G2", []);
        await RefusedAsync(Consumer("G3"), "which is the limit");
        await peer.HeartbeatAsync("G2", []);
        await peer.UnregisterAsync(consumerGroup: "G1");
        await peer.HeartbeatAsync("G3", []);

        async Task RefusedAsync(string json, string reason)
        {
            RemotingCommand reply = await peer.HeartbeatAsync(json);
            Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
            Assert.Contains(reason, reply.Remark, StringComparison.Ordinal);
        }

        static string Consumer(string group, params string[] topics) =>
            $$"""{"clientID":"c","consumerDataSet":[{"groupName":"{{group}}","subscriptionDataSet":[{{string.Join(
                ',', topics.Select(topic => $$"""{"topic":"{{topic}}","subString":"*"}"""))}}]}]}""";
    }

    [Fact]
    public async Task Find_ByBytes_AllocatesNothing()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        await broker.Connect("c1").HeartbeatAsync("Group", [ClientsFixture.To("Topic")]);
        bool found = broker.Consumers.Find("Group"u8)!.FindSubscription("Topic"u8) is not null;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            found &= broker.Consumers.Find("Group"u8)!.FindSubscription("Topic"u8) is not null;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(found);
    }

    private static Task<GetConsumerListByGroupResponseBody> ListAsync(Peer peer, string group) =>
        peer.AskAsync<GetConsumerListByGroupHeader, GetConsumerListByGroupResponseBody>(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = group });
}
