using System.Text.Json;
using System.Text.Json.Nodes;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>What a command said and how it ended.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The one JSON document that the output is.</summary>
    public JsonNode Json => JsonNode.Parse(Output)
        ?? throw new JsonException("null");

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public CommandResult ShouldSucceed()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}{Output}");
        return this;
    }

    /// <summary>It failed with this code, one message and no stack trace.</summary>
    public CommandResult ShouldFail(int exitCode, string message)
    {
        Assert.True(ExitCode == exitCode, $"exit code {ExitCode} instead of {exitCode}: {Error}{Output}");
        Assert.Contains(message, Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.Equal("", Output);
        return this;
    }
}
