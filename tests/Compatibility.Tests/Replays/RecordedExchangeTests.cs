using GrayMQ.Compatibility.Tests.Servers;
using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests.Replays;

/// <summary>What RocketMQ 5.3.3's own client asked RocketMQ is asked here, and answered the same.</summary>
public sealed class RecordedExchangeTests
{
    [Theory]
    [InlineData("send-pull")]
    [InlineData("send-pull-binary")]
    [InlineData("orderly")]
    [InlineData("lite-pull")]
    [InlineData("broadcast")]
    [InlineData("query")]
    [InlineData("request-reply")]
    [InlineData("retry-dlq")]
    [InlineData("delay-timer-recall")]
    [InlineData("pop")]
    [InlineData("sql92")]
    [InlineData("transaction")]
    public async Task ClientsSide_Replayed_IsAnsweredAsByRocketMq(string name)
    {
        Recording recording = Recording.Load(name);
        await using TestServers servers = await TestServers.StartAsync(new RecordedTime(recording.StartedAt));
        await Replay.RunAsync(recording, servers);
    }
}
