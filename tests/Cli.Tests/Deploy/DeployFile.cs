namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>A file of deploy/, as people are given it.</summary>
internal static class DeployFile
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "deploy", name);

    /// <summary>Its text with addresses of the test's own; each of those that stand there has to be found.</summary>
    public static async Task<string> ReadAsync(string name, params (string Written, string Used)[] replacements)
    {
        string text = await File.ReadAllTextAsync(PathOf(name));
        foreach ((string written, string used) in replacements)
        {
            Assert.Contains(written, text, StringComparison.Ordinal);
            text = text.Replace(written, used, StringComparison.Ordinal);
        }

        return text;
    }
}
