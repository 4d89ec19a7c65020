using System.Text;
using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.KVConfigs;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests;

public sealed class RouteTests
{
    [Theory]
    [InlineData(121, false, "{0:\"a-0:10911\"}")]
    [InlineData(400, false, "{0:\"a-0:10911\"}")]
    [InlineData(401, false, "{\"0\":\"a-0:10911\"}")]
    [InlineData(479, false, "{\"0\":\"a-0:10911\"}")]
    [InlineData(121, true, "{\"0\":\"a-0:10911\"}")]
    public async Task Route_InTheFormThatTheClientReads_QuotesBrokerIds(int version, bool standardOnly, string addresses)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        var fields = new Dictionary<string, string> { ["topic"] = "T" };
        if (standardOnly)
        {
            fields["acceptStandardJsonOnly"] = "true";
        }

        RemotingCommand response = await RawRequest.AskAsync(server.Port, RequestCode.GetRouteInfoByTopic, version, [], fields);

        Assert.Equal(
            "{\"brokerDatas\":[{\"brokerAddrs\":" + addresses
            + ",\"brokerName\":\"a\",\"cluster\":\"C\",\"enableActingMaster\":false}],\"filterServerTable\":{},"
            + "\"queueDatas\":[{\"brokerName\":\"a\",\"perm\":6,\"readQueueNums\":8,\"topicSysFlag\":0,\"writeQueueNums\":4}]}",
            Encoding.UTF8.GetString(response.Body));
    }

    [Fact]
    public async Task Route_AskedAgain_FollowsEveryKindOfChange()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("orderMessageEnable=true");
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        Assert.Null((await server.FindRouteAsync("T"))!.OrderTopicConf);

        await server.AskSuccessfullyAsync(
            RequestCode.PutKVConfig, new PutKVConfigHeader { Namespace = "ORDER_TOPIC_CONFIG", Key = "T", Value = "a:4" });
        Assert.Equal("a:4", (await server.FindRouteAsync("T"))!.OrderTopicConf);

        await server.AskSuccessfullyAsync(
            RequestCode.UpdateNameServerConfig, default(NoHeader), Encoding.UTF8.GetBytes("orderMessageEnable=false"));
        Assert.Null((await server.FindRouteAsync("T"))!.OrderTopicConf);

        await server.RegisterSuccessfullyAsync(
            "a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a") with { ZoneName = "z1" });
        Assert.Equal("z1", (await server.FindRouteAsync("T"))!.BrokerDatas[0].ZoneName);

        await server.AskSuccessfullyAsync(RequestCode.WipeWritePermOfBroker, new BrokerNameHeader { BrokerName = "a" });
        Assert.Equal(4, (await server.FindRouteAsync("T"))!.QueueDatas[0].Perm);

        await server.AskSuccessfullyAsync(RequestCode.DeleteTopicInNameServer, new DeleteTopicInNameServerHeader { Topic = "T" });
        Assert.Null(await server.FindRouteAsync("T"));
        Assert.NotNull(await server.FindRouteAsync("U"));
    }

    [Fact]
    public async Task Route_OfStaticTopic_CarriesItsQueueMapping()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("S", "T");
        topics.TopicQueueMappingInfoMap["S"] =
            new TopicQueueMappingInfo { Topic = "S", Bname = "a", TotalQueues = 2, Epoch = 3, CurrIdMap = { [0] = 0, [1] = 1 } };
        await server.RegisterSuccessfullyAsync("a", topics);

        TopicRouteData route = (await server.FindRouteAsync("S"))!;

        Assert.Equal(1, route.TopicQueueMappingByBroker!["a"].CurrIdMap[1]);
        Assert.Null((await server.FindRouteAsync("T"))!.TopicQueueMappingByBroker);
    }

    [Fact]
    public async Task Route_InZoneMode_LeavesOutOtherZonesThatHaveTheirMaster()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("near", TestNameServer.Topics("T", "U"), TestNameServer.Header("near") with { ZoneName = "z1" });
        await server.RegisterSuccessfullyAsync("far", TestNameServer.Topics("T", "U"), TestNameServer.Header("far") with { ZoneName = "z2" });

        RemotingCommand response = await server.AskSuccessfullyAsync(
            RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader("T") { ZoneMode = true, ZoneName = "Z1" });

        TopicRouteData route = BodyCodec.Decode<TopicRouteData>(response.Body);
        Assert.Equal("near", Assert.Single(route.BrokerDatas).BrokerName);
        Assert.Equal("near", Assert.Single(route.QueueDatas).BrokerName);
        Assert.Equal(2, (await server.FindRouteAsync("T"))!.BrokerDatas.Count);
    }

    [Fact]
    public async Task Route_WhileBrokersAreWaitedFor_IsRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("needWaitForService=true", "waitSecondsForService=45");
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        RemotingCommand early = await server.AskAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader("T"));
        server.Time.Advance(TimeSpan.FromSeconds(45));

        Assert.Equal(ResponseCode.SystemError, early.ResponseCode);
        Assert.Equal("name server not ready", early.Remark);
        Assert.NotNull(await server.FindRouteAsync("T"));
    }

    [Fact]
    public async Task Query_BesideChanges_NeverKeepsAnOldAnswer()
    {
        LiveOptions live = NewOptions();
        var state = new RouteState(TimeProvider.System, NullLogger.Instance);
        BrokerRegistry registry = Registry(state, live);
        var answers = new RouteAnswers(new RouteTable(state, live), KVConfigStore.Open("there-is-no-such-file"), live);
        byte[] topic = "T"u8.ToArray();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("T", "U");
        registry.Register(Registration(topics));
        using var stop = new CancellationTokenSource();
        Task asking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.NotNull(answers.Find(topic, BodyJsonForm.Standard));
                Assert.NotNull(answers.Find(topic, BodyJsonForm.Fastjson));
            }
        });

        for (int queues = 1; queues <= 2_000; queues++)
        {
            topics.DataVersion = topics.DataVersion.Next(nowMs: queues);
            topics.TopicConfigTable["T"].ReadQueueNums = queues;
            registry.Register(Registration(topics));

            // Whoever asks after the change was made must see it.
            TopicRouteData route = BodyCodec.Decode<TopicRouteData>(answers.Find(topic, BodyJsonForm.Standard)!.Value.Span);
            Assert.Equal(queues, route.QueueDatas[0].ReadQueueNums);
        }

        await stop.CancelAsync();
        await asking;
    }

    [Fact]
    public async Task Answers_BesideBrokersThatComeAndGo_AreOfOneMoment()
    {
        const int Topics = 2;
        LiveOptions live = NewOptions();
        var state = new RouteState(TimeProvider.System, NullLogger.Instance);
        BrokerRegistry registry = Registry(state, live);
        var routes = new RouteTable(state, live);
        TopicConfigAndMappingSerializeWrapper topics =
            TestNameServer.Topics([.. Enumerable.Range(0, Topics).Select(topic => $"T{topic}")]);
        BrokerRegistration[] brokers =
        [
            .. Enumerable.Range(0, 20).Select(
                node => Registration(topics) with { BrokerName = $"b{node}", Node = new BrokerIdentity("C", $"b:{node}") }),
        ];
        using var stop = new CancellationTokenSource();
        Task changing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Array.ForEach(brokers, broker => registry.Register(broker));
                Array.ForEach(
                    brokers, broker => registry.Unregister(new BrokerDeparture(broker.Node, broker.BrokerName, broker.BrokerId)));
            }
        });

        try
        {
            for (int found = 0; found < 5_000 && !changing.IsCompleted;)
            {
                if (routes.TryDescribe("T0", out TopicRouteData? route, out _, out _))
                {
                    found++;
                    Assert.Equal(route.QueueDatas.Select(at => at.BrokerName), route.BrokerDatas.Select(at => at.BrokerName));
                }
            }

            for (int i = 0; i < 5_000; i++)
            {
                ClusterInfo clusters = routes.DescribeClusters();
                Assert.Equal(
                    clusters.BrokerAddrTable.Keys.Order(), clusters.ClusterAddrTable.Values.SelectMany(names => names).Order());
            }

            for (int i = 0; i < 5_000; i++)
            {
                Assert.Contains(routes.ListTopicsOf("C").Count, (int[])[0, Topics]);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await changing;
        }
    }

    [Fact]
    public void Query_ForKnownTopic_AllocatesNothing()
    {
        LiveOptions live = NewOptions();
        var state = new RouteState(TimeProvider.System, NullLogger.Instance);
        BrokerRegistry registry = Registry(state, live);
        registry.Register(Registration(TestNameServer.Topics("T", "U")));
        var answers = new RouteAnswers(new RouteTable(state, live), KVConfigStore.Open("there-is-no-such-file"), live);
        byte[] topic = "T"u8.ToArray();
        int length = answers.Find(topic, BodyJsonForm.Standard)!.Value.Length;

        // A collection of garbage in between counts what is left of the thread's allocation buffer: one round without must be 0.
        long[] allocated = [.. Enumerable.Range(0, 10).Select(_ => AllocatedByQueries())];

        Assert.Equal(0, allocated.Min());

        long AllocatedByQueries()
        {
            const int Queries = 1_000;
            long before = GC.GetAllocatedBytesForCurrentThread();
            int sum = 0;
            for (int i = 0; i < Queries; i++)
            {
                sum += answers.Find(topic, BodyJsonForm.Standard)!.Value.Length;
            }

            long after = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(Queries * length, sum);
            return after - before;
        }
    }

    private static LiveOptions NewOptions() =>
        new(NameServerOptions.From(NameServerSettings.Catalogue().Load(new SettingsSources()).GetOrThrow()));

    private static BrokerRegistry Registry(RouteState state, LiveOptions live) =>
        new(state, live, new DrainLeases(TimeProvider.System), NullLogger.Instance);

    private static BrokerRegistration Registration(TopicConfigAndMappingSerializeWrapper topics) =>
        new(new BrokerIdentity("C", "a:1"), "a", 0, "", null, null, false, topics, null, null);
}
