using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests;

/// <summary>docs/COMPATIBILITY.md against the table of differences.</summary>
public sealed class DocumentationTests
{
    [Fact]
    public void KnownDifferences_AreExplainedOnThePage_WordForWord()
    {
        string page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "COMPATIBILITY.md"));
        string[] untold = [.. KnownDifferences.Reasons.Where(reason => !page.Contains(reason, StringComparison.Ordinal))];
        Assert.True(untold.Length == 0, string.Join('\n', untold));
    }
}
