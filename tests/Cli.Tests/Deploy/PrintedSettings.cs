using System.Globalization;
using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>The settings with which a server would start.</summary>
internal sealed class PrintedSettings
{
    // What is left of a broker after that is cut off.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly JsonArray _settings;

    private PrintedSettings(JsonArray settings) => _settings = settings;

    /// <summary>How long a broker takes from being told to stop until it has ended, at most.</summary>
    public TimeSpan LongestStop => TimeSpan.FromMilliseconds(Number("drainMaxMs") + Number("drainConsumersMs")) + StopLimit;

    public string this[string key] => _settings.Single(setting => (string?)setting!["key"] == key)!["value"]!.ToString();

    /// <param name="arguments">Those that start the server.</param>
    /// <param name="variables">Its environment.</param>
    public static async Task<PrintedSettings> OfAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        CommandResult printed = await TestCommand.RunAsync([.. arguments, "--print-config", "--json"], "", variables: variables);
        return new PrintedSettings(printed.ShouldSucceed().Json["settings"]!.AsArray());
    }

    public int Number(string key) => int.Parse(this[key], CultureInfo.InvariantCulture);
}
