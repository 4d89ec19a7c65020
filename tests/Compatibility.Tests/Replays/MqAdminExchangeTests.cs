using GrayMQ.Compatibility.Tests.Servers;
using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests.Replays;

/// <summary>What RocketMQ 5.3.3's mqadmin asked RocketMQ is asked here, of a broker on the same store, and answered the same.</summary>
public sealed class MqAdminExchangeTests
{
    [Fact]
    public async Task MqadminsSide_ReplayedOnTheRecordedStore_IsAnsweredAsByRocketMq()
    {
        Recording recording = Recording.Load("mqadmin");
        await using TestServers servers = await TestServers.StartAsync(new RecordedTime(recording.StartedAt), store: "store-clean.tar.gz");
        await Replay.RunAsync(recording, servers, sameStore: true);
    }

    // On the recorded store nothing has been sent yet; here the recorded messages are sent and consumed before their numbers are asked for.
    [Fact]
    public async Task MqadminsSide_AsksForStatisticsOfWhatWasSent_IsAnsweredAsByRocketMq()
    {
        const int ViewBrokerStatistics = 315;
        string[] keys = ["Goldensendpull", "Goldensendpull@GC_Goldensendpull", "Goldensendpull@Goldensendpull"];
        Recording sending = Recording.Load("send-pull");
        Recording statistics = Recording.Load("mqadmin").Only(
            "mqadmin statistics",
            request => request.Code == ViewBrokerStatistics && keys.Contains(request.Fields["statsKey"]));
        Assert.Equal(keys.Length, statistics.Frames.Count / 2);

        await using TestServers servers = await TestServers.StartAsync(new RecordedTime(sending.StartedAt));
        await Replay.RunAsync(sending, servers);
        await Replay.RunAsync(statistics, servers);
    }
}
