using GrayMQ.Compatibility.Tests.Servers;
using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests.Replays;

/// <summary>How a broker of RocketMQ 5.3.3 registers, seen from both sides.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task BrokersSide_Replayed_IsAnsweredAsByRocketMq()
    {
        Recording recording = Recording.Load("register");
        await using TestServers servers = await TestServers.StartNameServerAsync(new RecordedTime(recording.StartedAt));
        await Replay.RunAsync(recording, servers);
    }

    [Fact]
    public async Task Broker_Starts_RegistersAsRocketMqDoes()
    {
        Recording recording = Recording.Load("register");
        await using var nameServer = new CapturingNameServer();
        await using TestServers servers = await TestServers.StartBrokerAloneAsync(
            new RecordedTime(recording.StartedAt), nameServer.EndPoint);
        WireFrame actual = await nameServer.RegistrationAsync();

        var comparison = new AnswerComparison(servers, logStart: 0, sameStore: false, ownLog: false);
        comparison.Compare(null, recording.Frames[0].Command, actual);
        KnownDifferences.Check("registration sent", comparison.Mismatches);
    }
}
