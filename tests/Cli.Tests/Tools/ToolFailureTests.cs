using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Tests.Tools;

public class ToolFailureTests
{
    [Fact]
    public void TryExplain_NameServersAnswerAndGiveOutNoRoutes_SaysWhy()
    {
        var refusal = new BrokerException(ResponseCode.SystemError, "ns:9876", "name server not ready: not registered again since its start: b");

        bool isExplained = ToolFailure.TryExplain(
            new NameServersUnavailableException("no routes", refusal), new NameServerChoice("ns:9876", "--namesrv"), out int exitCode, out string? message);

        Assert.True(isExplained);
        Assert.Equal(ExitCode.Unreachable, exitCode);
        Assert.Equal(
            "no name server of ns:9876 (--namesrv) gives out routes now: name server not ready: not registered again since its start: b", message);
    }
}
