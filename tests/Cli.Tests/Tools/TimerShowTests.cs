using System.Text;
using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class TimerShowTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Show_PendingMessages_TellsHowManyByLevelAndTopic()
    {
        (await server.RunAsync("topic", "create", "Later", "--queues", "1")).ShouldSucceed();
        await using (var producer = new RawClient(server.Broker))
        {
            foreach (string property in (string[])["DELAY\u000118\u0002", "TIMER_DELAY_SEC\u00013600\u0002", "TIMER_DELAY_SEC\u00017200\u0002"])
            {
                await producer.AskAsync(RequestCode.SendMessageV2, new SendMessageHeader
                {
                    ProducerGroup = "P"u8.ToArray(),
                    Topic = "Later"u8.ToArray(),
                    DefaultTopic = "TBW102"u8.ToArray(),
                    Properties = Encoding.UTF8.GetBytes(property),
                });
            }
        }

        JsonNode shown = await ShownAsync(pending: 3);
        JsonNode broker = Assert.Single(shown["brokers"]!.AsArray())!;
        Assert.True((long)broker["nextDueMs"]! > 0);
        Assert.Equal(0, (long)broker["lagMs"]!);
        Assert.Equal(
            [(0, 2L), (18, 1L)], broker["levels"]!.AsArray().Select(level => ((int)level!["level"]!, (long)level["pending"]!)));
        JsonNode topic = Assert.Single(broker["topics"]!.AsArray())!;
        Assert.Equal(("Later", 3L), ((string)topic["topic"]!, (long)topic["pending"]!));

        string printed = (await server.RunAsync("timer", "show")).ShouldSucceed().Output;
        Assert.Contains("level 18", printed, StringComparison.Ordinal);
        Assert.Contains("topic Later", printed, StringComparison.Ordinal);
        Assert.Contains("times of their own", printed, StringComparison.Ordinal);
    }

    // A message is pending a moment after its producer was answered.
    private async Task<JsonNode> ShownAsync(long pending)
    {
        JsonNode shown;
        do
        {
            shown = (await server.RunAsync("timer", "show", "--json")).ShouldSucceed().Json;
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
        while ((long)shown["total"]! < pending);
        return shown;
    }
}
