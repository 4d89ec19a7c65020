using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

/// <summary>What gray commands answer when there is nothing gray, and when they are wrong.</summary>
public sealed class GrayUsageTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Names_ThatNobodyKnows_AreNotFound()
    {
        (await server.RunAsync("gray", "topic", "enable", "NoSuchTopic")).ShouldFail(ExitCode.NotFound, "topic NoSuchTopic does not exist");
        // The broker makes groups that it sees first: asking for one, even twice, is not seeing it.
        (await server.RunAsync("gray", "open", "nobody")).ShouldFail(ExitCode.NotFound, "group nobody does not exist");
        (await server.RunAsync("gray", "open", "nobody")).ShouldFail(ExitCode.NotFound, "group nobody does not exist");
        (await server.RunAsync("gray", "rule", "list", "nobody")).ShouldFail(ExitCode.NotFound, "group nobody has no release");
        (await server.RunAsync("gray", "status", "nobody")).ShouldFail(ExitCode.NotFound, "no release of a group nobody");
    }

    [Fact]
    public async Task Commands_ThatCannotBeObeyed_AreRefusedWithTheReason()
    {
        (await server.RunAsync("gray", "topic", "enable", "SCHEDULE_TOPIC_XXXX")).ShouldFail(ExitCode.Failure, "cannot be gray");
        (await server.RunAsync("gray", "topic", "disable", "T")).ShouldFail(ExitCode.Failure, "topic T is not gray");
        (await server.RunAsync("gray", "promote", "g")).ShouldFail(ExitCode.Failure, "group g has no open release");
        (await server.RunAsync("gray", "withdraw", "g", "--leftover", "normal")).ShouldFail(ExitCode.Failure, "group g has no open release");
        (await server.RunAsync("gray", "cancel", "g")).ShouldFail(ExitCode.Failure, "nothing is under way with group g");
        (await server.RunAsync("gray", "force", "T", "--topic")).ShouldFail(ExitCode.Failure, "nothing is under way with topic T");
        (await server.RunAsync("gray", "rule", "add", "g", "--client", "v2-*")).ShouldFail(ExitCode.Failure, "group g has no open release");

        // That the broker is there is a change as well.
        Assert.All(
            (await server.RunAsync("gray", "history", "--json")).ShouldSucceed().Json["entries"]!.AsArray(),
            entry => Assert.Contains("acts on the gray state", (string)entry!["summary"]!, StringComparison.Ordinal));
        Assert.Empty((await server.RunAsync("gray", "status", "--json")).ShouldSucceed().Json["releases"]!.AsArray());
    }

    [Theory]
    [InlineData("rule", "add", "g")]
    [InlineData("rule", "add", "g", "--client", "a", "--address", "10.0.0.1")]
    [InlineData("rule", "add", "g", "--address", "nowhere")]
    [InlineData("withdraw", "g")]
    [InlineData("withdraw", "g", "--leftover", "perhaps")]
    [InlineData("client", "set", "g", "c")]
    [InlineData("open", "g", "--absence", "soon")]
    [InlineData("open", "a b")]
    [InlineData("topic", "enable", "a b")]
    public async Task Commands_WrittenWrongly_AreUsageErrors(params string[] arguments)
    {
        CommandResult result = await server.RunAsync(["gray", .. arguments]);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.NotEqual("", result.Error);
    }
}
