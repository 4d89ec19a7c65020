using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Lifecycle;

public class WarmupTests
{
    private const int ReadWrite = 6;
    private const int Queues = 8;
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(80);

    [Fact]
    public async Task Return_TopicTakenElsewhere_ShowsOneQueueAndGrowsFromTheFirstSendOn()
    {
        await using LeavingBroker broker = await ReturnedAsync();
        Assert.Equal((1, Queues), Shown(broker));
        Assert.Equal(("cold", 0.0), Standing(await broker.ShowAsync()));

        // Nothing that comes before a send counts.
        await AdvanceAsync(broker, Warmup / 2);
        Assert.Equal(("cold", 0.0), Standing(await broker.ShowAsync()));
        await broker.Broker.Connect("producer").StoreAsync("T", "first");
        Assert.Equal(("warming", 0.0), Standing(await broker.ShowAsync()));

        DataVersion before = broker.NameServer.Version;
        for (int queues = 2; queues <= Queues; queues++)
        {
            // n queues are shown from just behind (n - 1) / 8 of the time on.
            await AdvanceAsync(broker, Warmup / Queues);
            await AdvanceAsync(broker, TimeSpan.FromSeconds(queues == 2 ? 1 : 0));
            await UntilShownAsync(broker, queues);
        }

        Assert.NotEqual(before, broker.NameServer.Version);
        Assert.Equal("warming", (await broker.ShowAsync()).Warmup);
        await AdvanceAsync(broker, Warmup / Queues);
        Assert.Equal(("warm", 1.0), Standing(await broker.ShowAsync()));
        Assert.Null((await broker.ShowAsync()).WaitingFor);
        TopicConfig config = await broker.Admin.AskAsync<TopicHeader, TopicConfig>(RequestCode.GetTopicConfig, new TopicHeader("T"));
        Assert.Equal(Queues, config.WriteQueueNums);
    }

    [Fact]
    public async Task Return_AnExponent_BeginsMoreSlowly()
    {
        await using LeavingBroker broker = await ReturnedAsync(("warmupExponent", "2"));
        await broker.Broker.Connect("producer").StoreAsync("T", "first");

        await AdvanceAsync(broker, Warmup / 2);

        Assert.Equal(("warming", 0.25), Standing(await broker.ShowAsync()));
        await UntilShownAsync(broker, Queues / 4);
    }

    [Fact]
    public async Task Return_SendToAQueueThatIsNotShown_IsStored()
    {
        await using LeavingBroker broker = await ReturnedAsync();

        await broker.Broker.Connect("producer").StoreAsync("T", "by an old route", queueId: Queues - 1);
    }

    [Fact]
    public async Task Return_TopicTakenNowhereElse_IsShownWhole()
    {
        await using LeavingBroker broker = await ReturnedAsync(elsewhere: null);

        Assert.Equal((Queues, Queues), Shown(broker));
        Assert.Equal(("off", 1.0), Standing(await broker.ShowAsync()));
    }

    [Fact]
    public async Task Return_NameServerDoesNotKnowYet_RegistersAndTakesItsShareOnceItDoes()
    {
        await using LeavingBroker broker = await NotKnownYetAsync();

        await AdvanceAsync(broker, TimeSpan.FromSeconds(5));
        Assert.Equal((Queues, Queues), Shown(broker));
        broker.NameServer.IsNotReady = false;

        await broker.UntilAsync(_ => Shown(broker) == (1, Queues), "one write queue in the route", limit: TimeSpan.FromSeconds(5));
        Assert.Equal(("cold", 0.0), Standing(await broker.ShowAsync()));
    }

    [Fact]
    public async Task Return_NoWarmup_ShowsAllAtOnce()
    {
        await using LeavingBroker broker = await ReturnedAsync(("warmupMs", "0"));

        Assert.Equal((Queues, Queues), Shown(broker));
        Assert.Equal(("off", 1.0), Standing(await broker.ShowAsync()));
    }

    [Theory]
    [InlineData("order")]
    [InlineData("type")]
    [InlineData("key")]
    [InlineData("lock")]
    public async Task Return_TopicWhoseOrderCounts_IsShownWhole(string because)
    {
        await using LeavingBroker broker = await StartedAsync();
        Peer peer = broker.Broker.Connect("c");
        switch (because)
        {
            case "order":
                await CreateAsync(peer, order: true, attributes: "");
                break;
            case "type":
                await CreateAsync(peer, order: false, attributes: "+message.type=FIFO");
                break;
            case "key":
                await peer.SendAsync(Sends.Header("T", 0, Sends.Properties((MessageProperty.ShardingKey, "k"))));
                break;
            default:
                await LockAsync(peer);
                break;
        }

        // It is remembered over more than one start.
        await broker.Broker.RestartAsync();
        broker.NameServer.Elsewhere["T"] = ReadWrite;
        await broker.Broker.RestartAsync();

        Assert.Equal((Queues, Queues), Shown(broker));
    }

    [Fact]
    public async Task Warming_OrderIsFirstCountedOn_ShowsTheTopicWhole()
    {
        await using LeavingBroker broker = await ReturnedAsync();
        Assert.Equal(1, Shown(broker).Write);

        await LockAsync(broker.Broker.Connect("c"));

        await UntilShownAsync(broker, Queues);
    }

    [Theory]
    [InlineData("probeTopics", "PING;T")]
    [InlineData("probeCodes", "10;310")]
    public async Task Cold_SendsThatAreProbes_DoNotBeginIt(string key, string value)
    {
        await using LeavingBroker broker = await ReturnedAsync((key, value));
        await broker.Broker.Connect("probe").StoreAsync("T", "are you there");

        LifecycleReport report = await broker.ShowAsync();

        Assert.Equal(("cold", -1, 0), (report.Warmup, report.LastSendAgoMs, report.Senders));
    }

    [Fact]
    public async Task ReadyWhenWarm_SendsCome_IsReadyWhenEverythingIsShown()
    {
        await using LeavingBroker broker = await ReturnedAsync(("readyWhenWarm", "true"));
        Assert.False((await broker.ShowAsync()).Ready);
        await broker.Broker.Connect("producer").StoreAsync("T", "first");

        await AdvanceAsync(broker, Warmup - TimeSpan.FromSeconds(1));
        LifecycleReport almost = await broker.ShowAsync();
        await AdvanceAsync(broker, TimeSpan.FromSeconds(1));

        Assert.Equal((false, "being warm, in 1 s"), (almost.Ready, almost.WaitingFor));
        Assert.True((await broker.ShowAsync()).Ready);
    }

    [Fact]
    public async Task ReadyWhenWarm_NobodySends_IsReadyWhenItIsIdleAndStaysSo()
    {
        await using LeavingBroker broker = await ReturnedAsync(("readyWhenWarm", "true"));

        await AdvanceAsync(broker, Warmup);

        LifecycleReport idle = await broker.ShowAsync();
        Assert.Equal((true, "idle"), (idle.Ready, idle.Warmup));
        await broker.Broker.Connect("producer").StoreAsync("T", "at last");
        LifecycleReport warming = await broker.ShowAsync();
        Assert.Equal((true, "warming"), (warming.Ready, warming.Warmup));
    }

    [Fact]
    public async Task Warming_DrainedAndTakenBack_GoesOnWhereTheClockIs()
    {
        await using LeavingBroker broker = await ReturnedAsync();
        await broker.Broker.Connect("producer").StoreAsync("T", "first");

        await broker.DrainAsync();
        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes", limit: TimeSpan.Zero);
        await AdvanceAsync(broker, Warmup / 2);
        await broker.UndrainAsync();

        await Eventually.TrueAsync(() => broker.NameServer.IsWritable("T"), "the route");
        await UntilShownAsync(broker, Queues / 2);
        Assert.Equal(("warming", 0.5), Standing(await broker.ShowAsync()));
    }

    [Fact]
    public async Task ReadyWhenWarm_NameServerDoesNotKnowYet_IsNotReadyBeforeNorAfter()
    {
        await using LeavingBroker broker = await NotKnownYetAsync(("readyWhenWarm", "true"));
        LifecycleReport asking = await broker.ShowAsync();
        broker.NameServer.IsNotReady = false;
        await broker.UntilAsync(_ => Shown(broker) == (1, Queues), "one write queue in the route", limit: TimeSpan.FromSeconds(5));

        Assert.Equal((false, "cold", 1.0), (asking.Ready, asking.Warmup, asking.WriteShare));
        Assert.Contains("which other brokers take messages", asking.WaitingFor, StringComparison.Ordinal);
        LifecycleReport cold = await broker.ShowAsync();
        Assert.Equal((false, "cold", 0.0), (cold.Ready, cold.Warmup, cold.WriteShare));
        await AdvanceAsync(broker, Warmup);
        Assert.True((await broker.ShowAsync()).Ready);
    }

    [Fact]
    public async Task Return_NameServerFailsOnceBeforeItKnows_IsAskedAgain()
    {
        await using LeavingBroker broker = await NotKnownYetAsync();
        broker.NameServer.BreaksOff = true;
        int asked = broker.NameServer.Asked;
        await broker.UntilAsync(_ => broker.NameServer.Asked > asked, "a look that fails");
        broker.NameServer.IsNotReady = false;
        broker.NameServer.BreaksOff = false;

        await broker.UntilAsync(_ => Shown(broker) == (1, Queues), "one write queue in the route");
    }

    [Fact]
    public async Task Return_NameServerNeverKnows_IsNotAskedForEver()
    {
        await using LeavingBroker broker = await NotKnownYetAsync();
        await broker.Broker.Connect("producer").StoreAsync("T", "first");
        Assert.Equal(("warming", 1.0), Standing(await broker.ShowAsync()));

        await broker.UntilAsync(report => report.Warmup == "off", "the end of its asking");

        int asked = broker.NameServer.Asked;
        await AdvanceAsync(broker, TimeSpan.FromSeconds(5));
        Assert.Equal(asked, broker.NameServer.Asked);
    }

    [Fact]
    public async Task Return_NameServerKnowsWhenTheBrokerLeaves_ShowsNoPartOfIt()
    {
        await using LeavingBroker broker = await NotKnownYetAsync();
        Peer producer = broker.Broker.Connect("producer");
        await producer.StoreAsync("T", "first");

        await broker.DrainAsync();
        broker.NameServer.IsNotReady = false;
        await broker.UntilAsync(_ => !broker.NameServer.IsWritable("T"), "the routes");
        await AdvanceAsync(broker, TimeSpan.FromSeconds(5));

        Assert.Equal((Queues, Queues), Shown(broker));
    }

    // Back at once with a name server that waits for others yet.
    private static async Task<LeavingBroker> NotKnownYetAsync(params (string Key, string Value)[] settings)
    {
        LeavingBroker broker = await StartedAsync(settings);
        broker.NameServer.Elsewhere["T"] = ReadWrite;
        broker.NameServer.IsNotReady = true;
        await broker.RestartAsync();
        Assert.Equal((Queues, Queues), Shown(broker));
        return broker;
    }

    private static async Task<LeavingBroker> StartedAsync(params (string Key, string Value)[] settings)
    {
        LeavingBroker broker = await LeavingBroker.StartAsync([("warmupMs", $"{Warmup.TotalMilliseconds}"), .. settings]);
        await broker.Admin.CreateTopicAsync("T", Queues);
        return broker;
    }

    private static Task<LeavingBroker> ReturnedAsync(params (string Key, string Value)[] settings) => ReturnedAsync(ReadWrite, settings);

    // A broker with a topic, back after a restart.
    private static async Task<LeavingBroker> ReturnedAsync(int? elsewhere, params (string Key, string Value)[] settings)
    {
        LeavingBroker broker = await StartedAsync(settings);
        if (elsewhere is { } permission)
        {
            broker.NameServer.Elsewhere["T"] = permission;
        }

        await broker.RestartAsync();
        return broker;
    }

    // In steps, so that what goes over the wire meanwhile has not taken as long as the clock has gone.
    private static async Task AdvanceAsync(LeavingBroker broker, TimeSpan by)
    {
        var step = TimeSpan.FromSeconds(1);
        for (TimeSpan gone = TimeSpan.Zero; gone < by; gone += step)
        {
            broker.Time.Advance(by - gone < step ? by - gone : step);
            await broker.ShowAsync();
        }
    }

    private static (int Write, int Read) Shown(LeavingBroker broker)
    {
        TopicConfig config = broker.NameServer.Find("T")!;
        return (config.WriteQueueNums, config.ReadQueueNums);
    }

    private static Task UntilShownAsync(LeavingBroker broker, int queues) =>
        Eventually.TrueAsync(() => Shown(broker) == (queues, Queues), $"{queues} write queues in the route");

    private static (string Warmup, double Share) Standing(LifecycleReport report) => (report.Warmup, report.WriteShare);

    private static Task<RemotingCommand> CreateAsync(Peer peer, bool order, string attributes) =>
        peer.AskAsync(RequestCode.UpdateAndCreateTopic, new CreateTopicHeader
        {
            Topic = "T",
            ReadQueueNums = Queues,
            WriteQueueNums = Queues,
            Permission = ReadWrite,
            Order = order,
            Attributes = attributes,
        });

    private static async Task LockAsync(Peer peer)
    {
        var body = new LockBatchRequestBody
        {
            ConsumerGroup = "G",
            ClientId = "c",
            MqSet = [new MessageQueue("T", RunningBroker.Name, 0)],
        };
        LockBatchResponseBody reply = await peer.AskAsync<NoHeader, LockBatchResponseBody>(
            RequestCode.LockBatchMQ, default, BodyCodec.Encode(body));
        Assert.Single(reply.LockedQueues);
    }
}
