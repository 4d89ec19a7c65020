using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class ToolUsageTests
{
    [Theory]
    [InlineData("did you mean list?", "topic", "lst")]
    [InlineData("did you mean topic?", "topics")]
    [InlineData("did you mean --queues?", "topic", "create", "T", "--queue", "1")]
    [InlineData("expected a command: create, list, route, delete", "topic")]
    [InlineData("expected one of --to-earliest", "offset", "reset", "g", "t")]
    [InlineData("expected one of --to-earliest", "offset", "reset", "g", "t", "--to-earliest", "--to-latest")]
    [InlineData("'--key'", "message", "query", "t")]
    [InlineData("--property x", "message", "send", "t", "b", "--property", "x")]
    [InlineData("illegal characters", "topic", "create", "no/topic")]
    [InlineData("illegal characters", "group", "create", "no group")]
    [InlineData("is no message id", "message", "view", "123")]
    [InlineData("graymq: --namesrv: 'nowhere' is no address: expected host:port", "topic", "list", "-n", "nowhere")]
    [InlineData("graymq: --queues: many: expected a whole number", "topic", "create", "t", "--queues", "many")]
    [InlineData("graymq: --queues: 99999999999: expected a whole number", "topic", "create", "t", "--queues", "99999999999")]
    [InlineData("graymq: --queues: 0: expected at least 1", "topic", "create", "t", "--queues", "0")]
    [InlineData("graymq: --write-queues: -1: expected at least 0", "topic", "create", "t", "--write-queues", "-1")]
    [InlineData("graymq: --max: 0: expected at least 1", "message", "pull", "t", "--max", "0")]
    [InlineData("graymq: --last: 0: expected at least 1", "filter", "test", "t", "a > 1", "--last", "0")]
    [InlineData("Must be one of: 'rw' 'r' 'w'", "topic", "create", "t", "--perm", "x")]
    public async Task Run_WrongUsage_EndsWith2AndHelps(string message, params string[] arguments)
    {
        (await TestCommand.RunAsync(arguments)).ShouldFail(ExitCode.Usage, message);
    }

    [Theory]
    [InlineData("topic", "list")]
    [InlineData("topic", "create", "t")]
    [InlineData("message", "send", "t", "b")]
    [InlineData("message", "pull", "t")]
    [InlineData("offset", "show", "g")]
    public async Task Run_NobodyThere_EndsWith4AndNamesWhoWasTried(params string[] arguments)
    {
        string address = FreePorts.ClosedAddress();

        (await TestCommand.RunAsync([.. arguments, "-n", address])).ShouldFail(ExitCode.Unreachable, $"{address} (--namesrv)");
    }

    [Fact]
    public async Task Run_NameServerOfTheEnvironment_IsAskedAndNamed()
    {
        string address = FreePorts.ClosedAddress();

        CommandResult result = await TestCommand.RunAsync(
            ["topic", "list"], "", variables: new Dictionary<string, string> { ["NAMESRV_ADDR"] = address });

        result.ShouldFail(ExitCode.Unreachable, $"{address} (NAMESRV_ADDR)");
    }

    [Theory]
    [InlineData("standalone")]
    [InlineData("namesrv")]
    [InlineData("broker")]
    [InlineData("topic")]
    [InlineData("group")]
    [InlineData("message")]
    [InlineData("offset")]
    [InlineData("cluster")]
    [InlineData("Exit codes")]
    [InlineData("4  no server answered")]
    public async Task Help_Root_ListsCommandsAndExitCodes(string part)
    {
        CommandResult result = await TestCommand.RunAsync("--help");

        Assert.Contains(part, result.ShouldSucceed().Output, StringComparison.Ordinal);
    }
}
