using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class MessageCommandTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Send_WithEverything_CanBePulledViewedAndQueried()
    {
        JsonNode sent = (await server.RunAsync(
            "message", "send", "Full", "größer", "--tags", "T", "--keys", "k1", "--keys", "k2", "--property", "a=b=c", "--json")).ShouldSucceed().Json;

        JsonNode pulled = Assert.Single((await server.RunAsync("message", "pull", "Full", "--json")).ShouldSucceed().Json["messages"]!.AsArray())!;
        Assert.Equal(["k1", "k2"], pulled["keys"]!.AsArray().Select(key => (string?)key));
        Assert.Equal(("T", "größer", "b=c"), ((string)pulled["tags"]!, (string)pulled["body"]!, (string)pulled["properties"]!["a"]!));
        Assert.Null(pulled["bodyBase64"]);
        foreach (string same in new[] { "messageId", "offsetMessageId", "broker", "queue", "offset", "topic" })
        {
            Assert.Equal(sent[same]!.ToString(), pulled[same]!.ToString());
        }

        string id = (string)sent["messageId"]!;
        string offsetId = (string)sent["offsetMessageId"]!;
        Assert.Equal(id, (string?)(await server.RunAsync("message", "view", offsetId, "--json")).ShouldSucceed().Json["messageId"]);
        Assert.Equal(offsetId, (string?)(await server.RunAsync("message", "view", id, "--topic", "Full", "--json")).ShouldSucceed().Json["offsetMessageId"]);
        JsonNode found = (await server.RunAsync("message", "query", "Full", "--key", "k2", "--json")).ShouldSucceed().Json;
        Assert.Equal(id, (string?)Assert.Single(found["messages"]!.AsArray())!["messageId"]);
    }

    [Fact]
    public async Task Send_FromInput_SendsItsBytes()
    {
        CommandResult sent = await TestCommand.RunAsync(["message", "send", "Piped", "-", "-n", server.NameServer], "two\nlines\n");

        Assert.StartsWith("Sent ", sent.ShouldSucceed().Output, StringComparison.Ordinal);
        JsonNode pulled = (await server.RunAsync("message", "pull", "Piped", "--json")).ShouldSucceed().Json["messages"]![0]!;
        Assert.Equal("two\nlines\n", (string?)pulled["body"]);
        Assert.Contains("two\\nlines\\n", (await server.RunAsync("message", "pull", "Piped")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_ToAQueue_GoesThere()
    {
        (await server.RunAsync("topic", "create", "Queued", "--queues", "3")).ShouldSucceed();

        JsonNode sent = (await server.RunAsync("message", "send", "Queued", "x", "--queue", "2", "--json")).ShouldSucceed().Json;

        Assert.Equal(2, (int)sent["queue"]!);
        (await server.RunAsync("message", "send", "Queued", "x", "--queue", "3")).ShouldFail(ExitCode.NotFound, "there is no queue 3");
    }

    [Fact]
    public async Task Send_MoreThanTheBrokerTakes_SaysWhyAndEndsWith1()
    {
        // The client refuses 4 MiB and more by itself, so that the broker is asked for something else that it refuses.
        (await server.RunAsync("topic", "create", "ReadOnly", "--perm", "r")).ShouldSucceed();

        CommandResult sent = await server.RunAsync("message", "send", "ReadOnly", "x");

        Assert.NotEqual(ExitCode.Success, sent.ExitCode);
        Assert.Contains("ReadOnly", sent.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", sent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_OffsetsTagsAndMax_ChooseWhatIsShown()
    {
        (await server.RunAsync("topic", "create", "Chosen", "--queues", "1")).ShouldSucceed();
        for (int i = 0; i < 5; i++)
        {
            (await server.RunAsync("message", "send", "Chosen", $"m{i}", "--tags", i % 2 == 0 ? "Even" : "Odd")).ShouldSucceed();
        }

        Assert.Equal(["m3", "m4"], await BodiesAsync("--max", "2"));
        Assert.Equal(["m0", "m1"], await BodiesAsync("--max", "2", "--offset", "earliest"));
        Assert.Equal(["m3", "m4"], await BodiesAsync("--offset", "3"));
        Assert.Equal(["m1", "m3"], await BodiesAsync("--tags", "Odd"));
        Assert.Empty(await BodiesAsync("--offset", "latest"));
        Assert.Empty(await BodiesAsync("--offset", "99"));
        (await server.RunAsync("message", "pull", "Chosen", "--queue", "7")).ShouldFail(ExitCode.NotFound, "no such queue");

        async Task<IEnumerable<string>> BodiesAsync(params string[] options) =>
        [
            .. (await server.RunAsync(["message", "pull", "Chosen", "--json", .. options])).ShouldSucceed().Json["messages"]!.AsArray()
                .Select(message => (string)message!["body"]!),
        ];
    }

    [Fact]
    public async Task Pull_Follow_ShowsWhatComesUntilInterrupted()
    {
        (await server.RunAsync("topic", "create", "Followed", "--queues", "2")).ShouldSucceed();
        (await server.RunAsync("message", "send", "Followed", "before")).ShouldSucceed();
        await using var follow = new RunningCommand("message", "pull", "Followed", "--follow", "--json", "-n", server.NameServer);
        await follow.WaitForAsync("\"before\"");

        (await server.RunAsync("message", "send", "Followed", "after")).ShouldSucceed();
        await follow.WaitForAsync("\"after\"");

        Assert.Equal(ExitCode.Success, await follow.StopAsync());
        string[] lines = follow.Output.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["before", "after"], lines.Select(line => (string?)JsonNode.Parse(line)!["body"]));
    }

    [Fact]
    public async Task View_TerminalCodesInAMessage_AreNotPrintedAsTheyAre()
    {
        JsonNode sent = (await server.RunAsync("message", "send", "Rude", "a\u001b[2Jb", "--property", "p=\u001b]0;x", "--json")).ShouldSucceed().Json;

        CommandResult view = await server.RunAsync("message", "view", (string)sent["offsetMessageId"]!);

        Assert.DoesNotContain('\u001b', view.ShouldSucceed().Output);
        Assert.Contains("a\\u001b[2Jb", view.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7F00000100002A9F00000000000F4240", "--topic finds it")]
    public async Task View_UnknownId_EndsWith3(string id, string message)
    {
        (await server.RunAsync("message", "view", id)).ShouldFail(ExitCode.NotFound, message);
    }

    [Fact]
    public async Task Query_UnknownKey_EndsWith3()
    {
        (await server.RunAsync("message", "send", "Keyless", "x")).ShouldSucceed();

        (await server.RunAsync("message", "query", "Keyless", "--key", "nothing")).ShouldFail(ExitCode.NotFound, "no message with key nothing");
    }

    [Fact]
    public async Task Pull_BodyThatIsNoText_IsBase64()
    {
        byte[] bytes = [0xFF, 0xFE, 0, 1];
        using var output = new StringWriter();
        using var error = new StringWriter();
        CommandContext context = TestCommand.Context(output, error) with { Input = new MemoryStream(bytes) };
        int exitCode = await GrayMQCommand.RunAsync(
            ["message", "send", "Binary", "-", "-n", server.NameServer], context, CancellationToken.None);
        Assert.Equal(ExitCode.Success, exitCode);

        JsonNode pulled = (await server.RunAsync("message", "pull", "Binary", "--json")).ShouldSucceed().Json["messages"]![0]!;

        Assert.Null(pulled["body"]);
        Assert.Equal(bytes, Convert.FromBase64String((string)pulled["bodyBase64"]!));
        Assert.Contains("(4 bytes, not text)", (await server.RunAsync("message", "pull", "Binary")).Output, StringComparison.Ordinal);
    }
}
