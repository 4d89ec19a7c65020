using System.Net.Sockets;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.NameServer.Tests;

public sealed class RegistrationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Route_AfterRegistration_NamesQueuesAndAddress(bool compress)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), compress: compress);

        TopicRouteData route = (await server.FindRouteAsync("T"))!;
        Assert.Equal(
            new QueueData { BrokerName = "a", Perm = 6, ReadQueueNums = 8, WriteQueueNums = 4 }, Assert.Single(route.QueueDatas));
        BrokerData broker = Assert.Single(route.BrokerDatas);
        Assert.Equal("a-0:10911", broker.BrokerAddrs[BrokerData.MasterId]);
        Assert.Equal(TestNameServer.Cluster, broker.Cluster);
        Assert.Null(route.TopicQueueMappingByBroker);
        Assert.Equal(["T", "U"], (await server.ListTopicsAsync()).Order());
    }

    [Fact]
    public async Task Route_OfTopicAtSeveralBrokers_NamesThemAllAndLosesThoseThatLeave()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        Assert.Single((await server.FindRouteAsync("T"))!.QueueDatas);

        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "V"));
        Assert.Equal(["a", "b"], (await server.FindRouteAsync("T"))!.BrokerDatas.Select(broker => broker.BrokerName).Order());

        await server.AskSuccessfullyAsync(RequestCode.UnregisterBroker, Leaving("a"));
        Assert.Equal("b", Assert.Single((await server.FindRouteAsync("T"))!.QueueDatas).BrokerName);
        Assert.Null(await server.FindRouteAsync("U"));

        await server.AskSuccessfullyAsync(RequestCode.UnregisterBroker, Leaving("b"));
        Assert.Empty(await server.ListTopicsAsync());
        ClusterInfo clusters = await server.DescribeClustersAsync();
        Assert.Empty(clusters.BrokerAddrTable);
        Assert.Empty(clusters.ClusterAddrTable);
    }

    [Fact]
    public async Task Unregister_OfUnknownBroker_ChangesNothing()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        await server.AskSuccessfullyAsync(RequestCode.UnregisterBroker, Leaving("nobody"));
        await server.AskSuccessfullyAsync(RequestCode.UnregisterBroker, Leaving("a") with { BrokerAddress = "elsewhere:1" });

        Assert.NotNull(await server.FindRouteAsync("T"));
    }

    [Fact]
    public async Task Registration_WithUnchangedDataVersion_DoesNotRewriteTopics()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("T", "U");
        await server.RegisterSuccessfullyAsync("a", topics);

        topics.TopicConfigTable["T"].ReadQueueNums = 16;
        topics.TopicConfigTable["V"] = new TopicConfig { TopicName = "V" };
        await server.RegisterSuccessfullyAsync("a", topics);
        Assert.Equal(8, (await server.FindRouteAsync("T"))!.QueueDatas[0].ReadQueueNums);
        Assert.NotNull(await server.FindRouteAsync("V"));

        topics.DataVersion = topics.DataVersion.Next(nowMs: 2_000);
        await server.RegisterSuccessfullyAsync("a", topics);
        Assert.Equal(16, (await server.FindRouteAsync("T"))!.QueueDatas[0].ReadQueueNums);
    }

    [Fact]
    public async Task Registration_WithoutATopic_KeepsItUnlessSetOtherwise()
    {
        TopicConfigAndMappingSerializeWrapper fewer = TestNameServer.Topics("T", "U");
        fewer.DataVersion = fewer.DataVersion.Next(nowMs: 2_000);
        await using TestNameServer keeping = await TestNameServer.StartAsync();
        await using TestNameServer deleting = await TestNameServer.StartAsync("deleteTopicWithBrokerRegistration=true");
        foreach (TestNameServer server in new[] { keeping, deleting })
        {
            await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U", "V"));
            await server.RegisterSuccessfullyAsync("a", fewer);
        }

        Assert.NotNull(await keeping.FindRouteAsync("V"));
        Assert.Null(await deleting.FindRouteAsync("V"));
        Assert.NotNull(await deleting.FindRouteAsync("T"));
    }

    [Fact]
    public async Task QueryDataVersion_TellsWhetherItDiffersAndWhatIsKnown()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("T", "U");
        var header = new QueryDataVersionHeader
        {
            BrokerName = "a",
            BrokerAddress = "a-0:10911",
            ClusterName = TestNameServer.Cluster,
            BrokerId = 0,
        };

        RemotingCommand unknown = await server.AskSuccessfullyAsync(
            RequestCode.QueryDataVersion, header, BodyCodec.Encode(topics.DataVersion));
        await server.RegisterSuccessfullyAsync("a", topics);
        RemotingCommand same = await server.AskSuccessfullyAsync(
            RequestCode.QueryDataVersion, header, BodyCodec.Encode(topics.DataVersion));
        RemotingCommand newer = await server.AskSuccessfullyAsync(
            RequestCode.QueryDataVersion, header, BodyCodec.Encode(topics.DataVersion.Next(nowMs: 5)));

        Assert.True(QueryDataVersionResponseHeader.Read(unknown.Fields).Changed);
        Assert.True(unknown.Body.IsEmpty);
        Assert.False(QueryDataVersionResponseHeader.Read(same.Fields).Changed);
        Assert.True(QueryDataVersionResponseHeader.Read(newer.Fields).Changed);
        Assert.Equal(topics.DataVersion, BodyCodec.Decode<DataVersion>(newer.Body));
    }

    [Fact]
    public async Task Registration_WithWrongChecksum_IsRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        byte[] body = BodyCodec.Encode(new RegisterBrokerBody { TopicConfigSerializeWrapper = TestNameServer.Topics("T", "U") });

        RemotingCommand response = await server.AskAsync(
            RequestCode.RegisterBroker, TestNameServer.Header("a") with { BodyCrc32 = Crc32.OfBody(body) ^ 1 }, body);

        Assert.Equal(ResponseCode.SystemError, response.ResponseCode);
        Assert.Equal("crc32 not match", response.Remark);
        Assert.Empty((await server.DescribeClustersAsync()).BrokerAddrTable);
    }

    [Fact]
    public async Task Registration_OfOneTopicAlone_NeedsARegisteredBroker()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        RemotingCommand early = await server.RegisterAsync("a", TestNameServer.Topics("New"));
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("New"));

        Assert.Equal("register broker failed", early.Remark);
        Assert.NotNull(await server.FindRouteAsync("New"));
        Assert.NotNull(await server.FindRouteAsync("T"));
    }

    [Fact]
    public async Task Registration_OfOldBroker_HoldsTopicsOnly()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("T", "U");
        byte[] body = BodyCodec.Encode(
            new TopicConfigSerializeWrapper { DataVersion = topics.DataVersion, TopicConfigTable = topics.TopicConfigTable });

        using Socket broker = await RawRequest.ConnectAsync(server.Port);

        RemotingCommand response = await RawRequest.AskAsync(broker, RequestCode.RegisterBroker, version: 30, body, new()
        {
            ["brokerName"] = "a",
            ["brokerAddr"] = "a-0:10911",
            ["clusterName"] = TestNameServer.Cluster,
            ["haServerAddr"] = "",
            ["brokerId"] = "0",
        });

        Assert.Equal(ResponseCode.Success, response.ResponseCode);
        Assert.NotNull(await server.FindRouteAsync("U"));
    }

    [Fact]
    public async Task Slave_Registering_IsToldItsMasterAndAddsNoTopics()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        RemotingCommand response = await server.RegisterAsync(
            "a", TestNameServer.Topics("T", "U", "OnlyThere"), TestNameServer.Header("a", id: 1));

        RegisterBrokerResponseHeader told = RegisterBrokerResponseHeader.Read(response.Fields);
        Assert.Equal("a-0:10911", told.MasterAddress);
        Assert.Equal("a-0:10912", told.HaServerAddress);
        Assert.Null(await server.FindRouteAsync("OnlyThere"));
        Assert.Equal([0L, 1L], (await server.FindRouteAsync("T"))!.BrokerDatas[0].BrokerAddrs.Keys.Order());
        RemotingCommand members = await server.AskSuccessfullyAsync(
            RequestCode.GetBrokerMemberGroup,
            new GetBrokerMemberGroupHeader { BrokerName = "a", ClusterName = TestNameServer.Cluster });
        Assert.Equal(
            2, BodyCodec.Decode<GetBrokerMemberGroupResponseBody>(members.Body).BrokerMemberGroup!.BrokerAddrs.Count);
    }

    [Fact]
    public async Task Slave_BecomingMaster_IsNoLongerNamedAsSlave()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        RegisterBrokerHeader slave = TestNameServer.Header("a", id: 1);
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), slave);

        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), slave with { BrokerId = 0 });

        BrokerData broker = (await server.DescribeClustersAsync()).BrokerAddrTable["a"];
        Assert.Equal(KeyValuePair.Create(0L, "a-1:10911"), Assert.Single(broker.BrokerAddrs));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Broker_UnderAnotherName_IsNoLongerNamedUnderTheFormer(bool hasSlave)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        RegisterBrokerHeader header = TestNameServer.Header("a");
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), header);
        if (hasSlave)
        {
            await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a", id: 1));
        }

        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "V"), header);

        ClusterInfo clusters = await server.DescribeClustersAsync();
        Assert.Equal(KeyValuePair.Create(0L, "a-0:10911"), Assert.Single(clusters.BrokerAddrTable["b"].BrokerAddrs));
        Assert.Equal(hasSlave ? ["a", "b"] : ["b"], clusters.ClusterAddrTable[TestNameServer.Cluster].Order());
        Assert.Equal(hasSlave, await server.FindRouteAsync("U") is not null);
        if (hasSlave)
        {
            Assert.Equal(KeyValuePair.Create(1L, "a-1:10911"), Assert.Single(clusters.BrokerAddrTable["a"].BrokerAddrs));
        }
    }

    [Fact]
    public async Task Master_WithOlderState_DoesNotTakeTheNameFromANewerOne()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper newer = TestNameServer.Topics("T", "U");
        newer.DataVersion = newer.DataVersion with { StateVersion = 5 };
        await server.RegisterSuccessfullyAsync("a", newer);

        await server.RegisterSuccessfullyAsync(
            "a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a") with { BrokerAddress = "old:10911" });

        Assert.Equal("a-0:10911", (await server.FindRouteAsync("T"))!.BrokerDatas[0].BrokerAddrs[0]);
    }

    [Fact]
    public async Task ConnectionClosed_OfBroker_TakesItOutOfTheRoutes()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        RemotingClient broker = TestNameServer.NewClient();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), client: broker);
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "U"));

        await broker.DisposeAsync();

        await Eventually.TrueAsync(
            async () => (await server.FindRouteAsync("T"))!.BrokerDatas.Count == 1, "broker a is out of the route");
        Assert.Equal("b", (await server.FindRouteAsync("T"))!.BrokerDatas[0].BrokerName);
    }

    [Fact]
    public async Task ConnectionClosed_AfterReconnect_LeavesTheBroker()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        RemotingClient first = TestNameServer.NewClient();
        await using RemotingClient second = TestNameServer.NewClient();
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "U"), client: first);
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), client: first);
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), client: second);

        await first.DisposeAsync();

        // b goes with the first connection, so the name server has seen its end.
        await Eventually.TrueAsync(
            async () => !(await server.DescribeClustersAsync()).BrokerAddrTable.ContainsKey("b"), "broker b is gone");
        Assert.NotNull(await server.FindRouteAsync("T"));
    }

    [Fact]
    public async Task SilentBroker_IsGoneAfterTheTimeItNamed()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync(
            "a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a") with { HeartbeatTimeoutMs = 12_000 });
        var heartbeat = new BrokerHeartbeatHeader
        {
            BrokerName = "a",
            BrokerAddress = "a-0:10911",
            ClusterName = TestNameServer.Cluster,
        };

        server.Time.Advance(TimeSpan.FromSeconds(11));
        await server.AskSuccessfullyAsync(RequestCode.BrokerHeartbeat, heartbeat);
        server.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.NotNull(await server.FindRouteAsync("T"));

        server.Time.Advance(TimeSpan.FromSeconds(6));
        await Eventually.TrueAsync(async () => await server.TryFindRouteAsync("T") is (true, null), "the route is gone");
    }

    [Fact]
    public async Task SilentBroker_ThatNamedNoTime_IsGoneAfterTwoMinutes()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("serverChannelMaxIdleTimeSeconds=100000");
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        server.Time.Advance(TimeSpan.FromSeconds(120));
        Assert.NotNull(await server.FindRouteAsync("T"));

        server.Time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(async () => await server.TryFindRouteAsync("T") is (true, null), "the route is gone");
    }

    private static UnregisterBrokerHeader Leaving(string name) => new()
    {
        BrokerName = name,
        BrokerAddress = $"{name}-0:10911",
        ClusterName = TestNameServer.Cluster,
        BrokerId = 0,
    };
}
