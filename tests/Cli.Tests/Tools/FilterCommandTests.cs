using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class FilterCommandTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    private const string Condition = "(messageType = 'paid' AND amount > 10) OR (messageType = 'sent' AND shop = 'x')";

    [Fact]
    public async Task Explain_Sql92_ShowsTreeExtractionAndResiduals()
    {
        await server.RunAsync("topic", "create", "Explained");

        JsonNode shown = (await server.RunAsync("filter", "explain", "Explained", Condition, "--json")).ShouldSucceed().Json;

        Assert.Equal("SQL92", (string)shown["type"]!);
        Assert.Equal(2, shown["tree"]!["operands"]!.AsArray().Count);
        JsonNode extraction = shown["extraction"]!;
        Assert.Equal("messageType", (string)extraction["property"]!);
        Assert.Equal(["paid", "sent"], extraction["values"]!.AsArray().Select(value => (string)value!["value"]!));
        Assert.Contains("amount", (string)extraction["values"]![0]!["residual"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("messageType", (string)extraction["values"]![0]!["residual"]!, StringComparison.Ordinal);
        Assert.Equal("false", (string)extraction["anyOther"]!);

        string printed = (await server.RunAsync("filter", "explain", "Explained", Condition)).ShouldSucceed().Output;
        Assert.Contains("By messageType", printed, StringComparison.Ordinal);
        Assert.Contains("any other", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_HeaderByTheTopicsOwnProperty_SpecialisesForThat()
    {
        (await server.RunAsync("topic", "create", "ByShop", "--attribute", "filter.index.property=shop")).ShouldSucceed();

        JsonNode shown = (await server.RunAsync(
            "filter", "explain", "ByShop", "shop == 'x' && messageType == 'paid'", "--type", "HEADER", "--json")).ShouldSucceed().Json;

        Assert.Equal("shop", (string)shown["extraction"]!["property"]!);
        Assert.Contains("messageType", (string)shown["extraction"]!["values"]![0]!["residual"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_DoesNotParse_SaysWhere()
    {
        await server.RunAsync("topic", "create", "Explained");

        (await server.RunAsync("filter", "explain", "Explained", "amount >")).ShouldFail(ExitCode.Usage, "column 9");
    }

    [Fact]
    public async Task TestAndStats_StoredMessages_TellWhatMatchesAndWhatItCost()
    {
        (await server.RunAsync("topic", "create", "Tested", "--queues", "2")).ShouldSucceed();
        await using var client = new RawClient(server.Broker);
        await client.AskAsync(RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(new HeartbeatData
        {
            ClientId = "c",
            ConsumerDataSet =
            [
                new ConsumerData
                {
                    GroupName = "G",
                    SubscriptionDataSet = [new SubscriptionData { Topic = "Tested", SubString = Condition, ExpressionType = "SQL92", SubVersion = 1 }],
                },
            ],
        }));
        await StatsAsync(stats => (int)stats["expressions"]! == 1);
        foreach ((string type, int amount) in ((string, int)[])[("paid", 11), ("paid", 9), ("sent", 100)])
        {
            (await server.RunAsync("message", "send", "Tested", $"{type}{amount}", "--property", $"messageType={type}", "--property", $"amount={amount}"))
                .ShouldSucceed();
        }

        JsonNode stats = await StatsAsync(stats => (long)stats["messages"]! == 3);
        Assert.Equal((1, 0, 1L), ((int)stats["subscriptions"]!, (int)stats["notIndexed"]!, (long)stats["matches"]!));
        JsonNode tested = (await server.RunAsync("filter", "test", "Tested", Condition, "--json")).ShouldSucceed().Json;
        Assert.Equal((3L, 1L), ((long)tested["lookedAt"]!, (long)tested["matched"]!));
        Assert.Equal("paid11", (string)Assert.Single(tested["messages"]!.AsArray())!["body"]!);
        CommandResult header = (await server.RunAsync("filter", "test", "Tested", "amount >= 11", "--type", "HEADER", "--max", "1")).ShouldSucceed();
        Assert.Contains("2 of 3 messages match", header.Error, StringComparison.Ordinal);
        Assert.Contains("SUBSCRIPTIONS", (await server.RunAsync("filter", "stats", "Tested")).ShouldSucceed().Output, StringComparison.Ordinal);
    }

    // What has happened is in the counts a moment later.
    private async Task<JsonNode> StatsAsync(Func<JsonNode, bool> until)
    {
        while (true)
        {
            JsonNode shown = (await server.RunAsync("filter", "stats", "Tested", "--json")).ShouldSucceed().Json;
            JsonNode broker = Assert.Single(shown["brokers"]!.AsArray())!;
            if (until(broker))
            {
                return broker;
            }

            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
