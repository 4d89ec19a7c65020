using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer.Tests;

/// <summary>A name server that was stopped, or killed, and is back.</summary>
public class ReturnTests
{
    [Fact]
    public async Task Route_OfABrokerThatHasNotRegisteredAgain_IsRefusedNotDenied()
    {
        await using TestNameServer server = await ReturnedAsync();

        (ResponseCode code, string? remark) = await AskAsync(server, "T");
        Assert.Equal(ResponseCode.SystemError, code);
        Assert.Equal("name server not ready: not registered again since its start: a, b", remark);

        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.NotNull(await server.FindRouteAsync("T"));
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "U")).Code);

        // By the template's route clients would make the topic anew.
        Assert.Equal(ResponseCode.SystemError, (await AskAsync(server, "TBW102")).Code);

        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("U", "TBW102"));
        Assert.NotNull(await server.FindRouteAsync("U"));
        Assert.NotNull(await server.FindRouteAsync("TBW102"));
        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "never")).Code);
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
        await before.AskSuccessfullyAsync(
            RequestCode.UnregisterBroker,
            new UnregisterBrokerHeader { BrokerName = "a", BrokerAddress = "a-0:10911", ClusterName = TestNameServer.Cluster, BrokerId = 0 });
        await before.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(before.Folder);

        Assert.Equal(ResponseCode.TopicNotExist, (await AskAsync(server, "T")).Code);
    }

    [Fact]
    public async Task Route_StoppedAgainBeforeAllWereBack_StillWaits()
    {
        TestNameServer between = await ReturnedAsync();
        await between.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await between.StopAsync();

        await using TestNameServer server = await TestNameServer.StartInAsync(between.Folder);

        Assert.Contains("a, b", (await AskAsync(server, "T")).Remark, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Route_AfterAKill_WaitsForWhoWasThere()
    {
        await using TestNameServer killed = await TestNameServer.StartAsync();
        await killed.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        killed.Time.Advance(TimeSpan.FromSeconds(1));
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        File.Copy(Path.Combine(killed.Folder, "knownBrokers.json"), Path.Combine(folder, "knownBrokers.json"));

        await using TestNameServer server = await TestNameServer.StartInAsync(folder);

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
