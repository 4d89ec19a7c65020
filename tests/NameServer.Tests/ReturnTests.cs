using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.NameServer.Tests;

/// <summary>A name server that was stopped, or killed, and is back.</summary>
public class ReturnTests
{
    // After the start, in which questions wait for their answers.
    private static readonly TimeSpan HoldTime = TimeSpan.FromMilliseconds(2_500);

    [Fact]
    public async Task Route_BrokersHaveNotRegisteredAgain_IsRefusedNotDenied()
    {
        await using TestNameServer server = await ReturnedAsync();
        server.Time.Advance(HoldTime);

        (ResponseCode code, string? remark) = await AskAsync(server, "T");
        Assert.Equal(ResponseCode.SystemError, code);
        Assert.Equal("name server not ready: not registered again since its start: a, b", remark);

        // By a route that is short of a broker clients would let go of its queues.
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "T")).Code);
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "U")).Code);

        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "U", "TBW102"));
        Assert.Equal(["a", "b"], (await server.FindRouteAsync("T"))!.BrokerDatas.Select(broker => broker.BrokerName).Order());
        Assert.NotNull(await server.FindRouteAsync("U"));
        Assert.NotNull(await server.FindRouteAsync("TBW102"));
        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "never")).Code);
    }

    [Fact]
    public async Task Route_AskedRightAfterTheStart_IsAnsweredOnceAllAreBack()
    {
        await using TestNameServer server = await ReturnedAsync();

        // One after the other over the same connection: the first one holds up neither those behind it nor the brokers.
        Task<(ResponseCode Code, string? Remark)> known = AskAsync(server, "T");
        Task<(ResponseCode Code, string? Remark)> unknown = AskAsync(server, "never");
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.False(known.IsCompleted || unknown.IsCompleted);

        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("U", "TBW102"));

        Assert.Equal(ResponseCode.Success, (await known).Code);
        Assert.Equal(ResponseCode.TopicNotExist, (await unknown).Code);
    }

    // Clients wait for that broker's registration, and it for its answer.
    [Fact]
    public async Task Route_AskedByABrokerThatIsMissing_IsNotHeld()
    {
        await using TestNameServer server = await ReturnedAsync();
        var question = new GetRouteInfoHeader("T") { AskingBroker = "b" };

        Assert.Equal(ResponseCode.SystemError, (await server.AskAsync(RequestCode.GetRouteInfoByTopic, question)).ResponseCode);
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.Equal(ResponseCode.Success, (await server.AskAsync(RequestCode.GetRouteInfoByTopic, question)).ResponseCode);
    }

    [Fact]
    public async Task Route_OfNamesThatNobodyCanHave_IsNotHeld()
    {
        await using TestNameServer server = await ReturnedAsync();
        var ofZone = new GetRouteInfoHeader("T") { ZoneMode = true, ZoneName = new string('z', 100_000) };

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, new string('t', 100_000))).Code);
        Assert.Equal(ResponseCode.SystemError, (await server.AskAsync(RequestCode.GetRouteInfoByTopic, ofZone)).ResponseCode);
    }

    [Fact]
    public async Task Route_HeldWhenTheServerStops_IsRefused()
    {
        TestNameServer server = await ReturnedAsync();
        await using RemotingClient client = TestNameServer.NewClient();
        Task<RemotingCommand> asked = server.AskAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader("T"), client: client);

        // Over the same connection: the question before it has been read.
        await server.AskSuccessfullyAsync(RequestCode.GetBrokerClusterInfo, default(NoHeader), client: client);
        await server.StopAsync();

        Assert.Equal(ResponseCode.SystemError, (await asked).ResponseCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Route_BrokerWasAwayForLong_IsNotWaitedFor(bool killed)
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await using (RemotingClient dying = TestNameServer.NewClient())
        {
            await before.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), client: dying);
        }

        await Eventually.TrueAsync(async () => await before.FindRouteAsync("T") is null, "the end of its connection");
        before.Time.Advance(TimeSpan.FromMinutes(2));
        before.Time.Advance(TimeSpan.FromSeconds(1));
        string folder = killed ? CopyKnownBrokers(before) : before.Folder;
        await before.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(folder);

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_SlaveHadBecomeMaster_IsNotWaitedForAsASlave()
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await RegisterAsync(before, id: 2, "a:10911");
        await RegisterAsync(before, id: 0, "a:10911");
        await before.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(before.Folder);
        await RegisterAsync(server, id: 0, "a:10911");

        Assert.Equal(ResponseCode.Success, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_MasterAndSlaveHadChangedPlaces_BothAreWaitedFor()
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await RegisterAsync(before, id: 0, "first:10911");
        await RegisterAsync(before, id: 1, "second:10911");
        await RegisterAsync(before, id: 0, "second:10911");
        await RegisterAsync(before, id: 1, "first:10911");
        await before.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(before.Folder);
        server.Time.Advance(HoldTime);
        await RegisterAsync(server, id: 1, "first:10911");

        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "T")).Code);
        await RegisterAsync(server, id: 0, "second:10911");
        Assert.Equal(ResponseCode.Success, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_BrokerDoesNotComeBack_IsDeniedAfterTheTime()
    {
        await using TestNameServer server = await ReturnedAsync("waitSecondsForService=20");

        server.Time.Advance(TimeSpan.FromMilliseconds(19_999));
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "T")).Code);
        server.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_SwitchedOff_IsDeniedAtOnce()
    {
        await using TestNameServer server = await ReturnedAsync("waitForKnownBrokers=false");

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_OfANewNameServer_IsDeniedAtOnce()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_BrokerThatHadLeft_IsNotWaitedFor()
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await before.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        await UnregisterAsync(before, "a", "a-0:10911");
        await before.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(before.Folder);

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_BrokerLeavesBeforeItHasRegisteredAgain_IsNotWaitedFor()
    {
        TestNameServer between = await ReturnedAsync();
        Task<(ResponseCode Code, string? Remark)> held = AskAsync(between, "T");
        await between.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.False(held.IsCompleted);

        await UnregisterAsync(between, "b", "b-0:10911");

        Assert.Equal(ResponseCode.Success, (await held).Code);
        await between.StopAsync();
        await using TestNameServer server = await TestNameServer.StartInAsync(between.Folder);
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.Equal(ResponseCode.Success, (await AskAsync(server, "T")).Code);
    }

    // A pod that was replaced by one with another address.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Route_NodeThatWasReplacedGoes_ItsSuccessorIsWaitedFor(bool unregisters)
    {
        await using TestNameServer before = await TestNameServer.StartAsync();
        await using (RemotingClient old = TestNameServer.NewClient())
        {
            await RegisterAsync(before, id: 0, "old:10911", old);
            await RegisterAsync(before, id: 0, "new:10911");
            if (unregisters)
            {
                await UnregisterAsync(before, "a", "old:10911");
            }
        }

        await Eventually.TrueAsync(async () => !await IsRegisteredAsync(before, "old:10911"), "the end of its connection");
        before.Time.Advance(TimeSpan.FromMinutes(2));
        before.Time.Advance(TimeSpan.FromSeconds(1));

        await using TestNameServer server = await TestNameServer.StartInAsync(CopyKnownBrokers(before));
        server.Time.Advance(HoldTime);
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_StoppedAgainBeforeAllWereBack_StillWaits()
    {
        TestNameServer between = await ReturnedAsync();
        await between.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await between.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(between.Folder);

        server.Time.Advance(HoldTime);
        Assert.Contains("a, b", (await AskAsync(server, "T")).Remark, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Route_AfterAKill_WaitsForWhoWasThere()
    {
        await using TestNameServer killed = await TestNameServer.StartAsync();
        await killed.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        killed.Time.Advance(TimeSpan.FromSeconds(1));

        await using TestNameServer server = await TestNameServer.StartInAsync(CopyKnownBrokers(killed));
        server.Time.Advance(HoldTime);

        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Start_FileIsBroken_WaitsForNobody()
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "knownBrokers.json"), "[{");

        await using TestNameServer server = await TestNameServer.StartInAsync(folder);

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    // What a kill at this instant would leave behind; what is written when the server stops is not among it.
    private static string CopyKnownBrokers(TestNameServer server)
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        File.Copy(Path.Combine(server.Folder, "knownBrokers.json"), Path.Combine(folder, "knownBrokers.json"));
        return folder;
    }

    private static Task RegisterAsync(TestNameServer server, long id, string address, RemotingClient? client = null) =>
        server.RegisterSuccessfullyAsync(
            "a", TestNameServer.Topics("T", "U"), TestNameServer.Header("a", id) with { BrokerAddress = address }, client: client);

    private static Task<RemotingCommand> UnregisterAsync(TestNameServer server, string name, string address) => server.AskSuccessfullyAsync(
        RequestCode.UnregisterBroker,
        new UnregisterBrokerHeader { BrokerName = name, BrokerAddress = address, ClusterName = TestNameServer.Cluster, BrokerId = 0 });

    private static async Task<bool> IsRegisteredAsync(TestNameServer server, string address)
    {
        RemotingCommand answer = await server.AskSuccessfullyAsync(
            RequestCode.QueryDataVersion,
            new QueryDataVersionHeader { BrokerName = "a", BrokerAddress = address, ClusterName = TestNameServer.Cluster, BrokerId = 0 },
            BodyCodec.Encode(TestNameServer.Topics().DataVersion));
        return !QueryDataVersionResponseHeader.Read(answer.Fields).Changed;
    }

    // With two brokers that were there before.
    private static async Task<TestNameServer> ReturnedAsync(params string[] settings)
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await before.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await before.RegisterSuccessfullyAsync("b", TestNameServer.Topics("U", "TBW102"));
        await before.StopAsync();
        return await TestNameServer.StartInAsync(before.Folder, settings);
    }

    private static async Task<(ResponseCode Code, string? Remark)> AskAsync(TestNameServer server, string topic)
    {
        RemotingCommand answer = await server.AskAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic));
        return (answer.ResponseCode, answer.Remark);
    }
}
