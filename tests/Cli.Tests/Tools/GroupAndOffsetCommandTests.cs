using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class GroupAndOffsetCommandTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Create_NewGroup_CanBeListedChangedAndDeleted()
    {
        CommandResult created = await server.RunAsync("group", "create", "billing", "--retries", "3", "--json");
        Assert.Equal("created", (string?)created.ShouldSucceed().Json["change"]);

        (await server.RunAsync("group", "create", "billing", "--disabled")).ShouldSucceed();
        JsonNode group = await FindAsync("billing") ?? throw new InvalidOperationException("not listed");
        Assert.Equal((3, false, 0), ((int)group["retryMaxTimes"]!, (bool)group["enabled"]!, (int)group["clients"]!));

        (await server.RunAsync("group", "delete", "billing")).ShouldSucceed();
        Assert.Null(await FindAsync("billing"));
        (await server.RunAsync("group", "delete", "billing")).ShouldFail(ExitCode.NotFound, "group billing does not exist");
    }

    [Fact]
    public async Task Show_UnknownGroup_SuggestsASimilarOne()
    {
        (await server.RunAsync("group", "create", "shipping")).ShouldSucceed();

        (await server.RunAsync("offset", "show", "shiping")).ShouldFail(ExitCode.NotFound, "did you mean shipping?");
        (await server.RunAsync("group", "delete", "shiping")).ShouldFail(ExitCode.NotFound, "did you mean shipping?");
    }

    [Fact]
    public async Task Reset_EachTarget_IsWhereTheGroupGoesOn()
    {
        (await server.RunAsync("group", "create", "replayers")).ShouldSucceed();
        (await server.RunAsync("topic", "create", "Replayed", "--queues", "1")).ShouldSucceed();
        for (int i = 0; i < 4; i++)
        {
            (await server.RunAsync("message", "send", "Replayed", $"m{i}")).ShouldSucceed();
        }

        long stored = (long)(await server.RunAsync("message", "pull", "Replayed", "--offset", "2", "--json"))
            .ShouldSucceed().Json["messages"]![0]!["storeTimestampMs"]!;

        Assert.Equal(4, await ResetAsync("--to-latest"));
        Assert.Equal((4, 0), await ProgressAsync());
        Assert.Equal(0, await ResetAsync("--to-earliest"));
        Assert.Equal((0, 4), await ProgressAsync());
        Assert.Equal(3, await ResetAsync("--to-offset", "3"));
        Assert.Equal((3, 1), await ProgressAsync());
        Assert.Equal(0, await ResetAsync("--to-earliest", "--dry-run"));
        Assert.Equal((3, 1), await ProgressAsync());
        Assert.InRange(await ResetAsync("--to-time", stored.ToString(System.Globalization.CultureInfo.InvariantCulture)), 0, 2);
        (await server.RunAsync("offset", "reset", "replayers", "Replayed", "--to-time", "yesterday")).ShouldFail(ExitCode.Usage, "--to-time: yesterday");
        (await server.RunAsync("offset", "reset", "nobody", "Replayed", "--to-latest")).ShouldFail(ExitCode.NotFound, "group nobody does not exist");

        async Task<long> ResetAsync(params string[] target)
        {
            CommandResult reset = await server.RunAsync(["offset", "reset", "replayers", "Replayed", "--json", .. target]);
            return (long)Assert.Single(reset.ShouldSucceed().Json["queues"]!.AsArray())!["to"]!;
        }

        async Task<(long Offset, long Lag)> ProgressAsync()
        {
            JsonNode shown = (await server.RunAsync("offset", "show", "replayers", "--topic", "Replayed", "--json")).ShouldSucceed().Json;
            JsonNode queue = Assert.Single(shown["queues"]!.AsArray())!;
            return ((long)queue["consumerOffset"]!, (long)shown["lag"]!);
        }
    }

    [Fact]
    public async Task Reset_OneOffsetForManyQueues_AsksWhich()
    {
        (await server.RunAsync("group", "create", "many")).ShouldSucceed();
        (await server.RunAsync("topic", "create", "ManyQueues", "--queues", "4")).ShouldSucceed();

        (await server.RunAsync("offset", "reset", "many", "ManyQueues", "--to-offset", "1")).ShouldFail(ExitCode.Usage, "--queue");
    }

    [Fact]
    public async Task ClusterList_OneBroker_TellsHowItIs()
    {
        JsonNode broker = Assert.Single((await server.RunAsync("cluster", "list", "--json")).ShouldSucceed().Json["brokers"]!.AsArray())!;

        Assert.Equal(("DefaultCluster", "master", server.Broker), ((string)broker["cluster"]!, (string)broker["role"]!, (string)broker["address"]!));
        Assert.True((bool)broker["reachable"]!);
    }

    private async Task<JsonNode?> FindAsync(string group) =>
        (await server.RunAsync("group", "list", "--json")).ShouldSucceed().Json["groups"]!.AsArray()
            .SingleOrDefault(listed => (string?)listed!["group"] == group);
}
