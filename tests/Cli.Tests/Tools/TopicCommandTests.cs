using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class TopicCommandTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Create_NewTopic_CanBeListedRoutedAndDeleted()
    {
        CommandResult created = await server.RunAsync("topic", "create", "Orders", "--queues", "6", "--write-queues", "4", "--perm", "r", "--json");
        Assert.Equal("created", (string?)created.ShouldSucceed().Json["change"]);

        JsonNode topic = await FindAsync("Orders") ?? throw new InvalidOperationException("not listed");
        Assert.Equal("normal", (string?)topic["kind"]);
        JsonNode at = Assert.Single(topic["brokers"]!.AsArray())!;
        Assert.Equal((6, 4, "R--"), ((int)at["readQueues"]!, (int)at["writeQueues"]!, (string)at["permission"]!));

        JsonNode route = (await server.RunAsync("topic", "route", "Orders", "--json")).ShouldSucceed().Json;
        JsonNode broker = Assert.Single(route["brokers"]!.AsArray())!;
        Assert.Equal(server.Broker, (string?)broker["addresses"]!["0"]);
        Assert.Equal(6, (int)broker["readQueues"]!);

        CommandResult deleted = await server.RunAsync("topic", "delete", "Orders");
        Assert.StartsWith("Topic Orders is deleted at ", deleted.ShouldSucceed().Output, StringComparison.Ordinal);
        Assert.Null(await FindAsync("Orders"));
        (await server.RunAsync("topic", "route", "Orders")).ShouldFail(ExitCode.NotFound, "topic Orders does not exist");
    }

    [Fact]
    public async Task Create_ExistingTopic_KeepsWhatIsNotSaid()
    {
        (await server.RunAsync("topic", "create", "Changed", "--queues", "3")).ShouldSucceed();

        CommandResult updated = await server.RunAsync("topic", "create", "Changed", "--perm", "w", "--json");

        Assert.Equal("updated", (string?)updated.ShouldSucceed().Json["change"]);
        JsonNode at = (await FindAsync("Changed"))!["brokers"]![0]!;
        Assert.Equal((3, 3, "-W-"), ((int)at["readQueues"]!, (int)at["writeQueues"]!, (string)at["permission"]!));
    }

    [Fact]
    public async Task Route_SimilarTopic_IsSuggested()
    {
        (await server.RunAsync("topic", "create", "Payments")).ShouldSucceed();

        (await server.RunAsync("topic", "route", "Paymnts")).ShouldFail(ExitCode.NotFound, "did you mean Payments?");
        (await server.RunAsync("topic", "delete", "Paymnts")).ShouldFail(ExitCode.NotFound, "did you mean Payments?");
        (await server.RunAsync("message", "pull", "Paymnts")).ShouldFail(ExitCode.NotFound, "did you mean Payments?");
    }

    [Fact]
    public async Task Create_UnknownBrokerOrCluster_NamesThoseThatThereAre()
    {
        (await server.RunAsync("topic", "create", "T", "--cluster", "Nowhere")).ShouldFail(ExitCode.NotFound, "there is DefaultCluster");
        (await server.RunAsync("topic", "create", "T", "--broker", "nobody")).ShouldFail(ExitCode.NotFound, "broker nobody does not exist");
    }

    [Fact]
    public async Task List_All_ShowsTheBrokersOwnToo()
    {
        CommandResult all = await server.RunAsync("topic", "list", "--all", "--json");

        JsonNode template = all.ShouldSucceed().Json["topics"]!.AsArray().Single(topic => (string?)topic!["topic"] == "TBW102")!;
        Assert.Equal("system", (string?)template["kind"]);
        Assert.Null(await FindAsync("TBW102"));
    }

    [Fact]
    public async Task Delete_PersonSaysNo_KeepsTheTopic()
    {
        (await server.RunAsync("topic", "create", "Precious")).ShouldSucceed();

        CommandResult refused = await TestCommand.RunAsync(
            ["topic", "delete", "Precious", "-n", server.NameServer], "n\n", isInteractive: true);

        refused.ShouldFail(ExitCode.Failure, "nothing was deleted");
        Assert.Contains("Delete topic Precious", refused.Error, StringComparison.Ordinal);
        Assert.NotNull(await FindAsync("Precious"));

        CommandResult agreed = await TestCommand.RunAsync(
            ["topic", "delete", "Precious", "-n", server.NameServer], "y\n", isInteractive: true);
        agreed.ShouldSucceed();
        Assert.Null(await FindAsync("Precious"));
    }

    [Fact]
    public async Task List_Table_HasOneLineForEachAndNoTrailingSpaces()
    {
        (await server.RunAsync("topic", "create", "Listed", "--queues", "2")).ShouldSucceed();

        CommandResult list = await server.RunAsync("topic", "list");

        Assert.All(list.ShouldSucceed().Lines, line => Assert.Equal(line.TrimEnd(), line));
        string row = Assert.Single(list.Lines, line => line.StartsWith("Listed ", StringComparison.Ordinal));
        Assert.Equal(
            ["2", "2", "RW-", "normal"], row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^4..]);
    }

    private async Task<JsonNode?> FindAsync(string topic) =>
        (await server.RunAsync("topic", "list", "--json")).ShouldSucceed().Json["topics"]!.AsArray()
            .SingleOrDefault(listed => (string?)listed!["topic"] == topic);
}
