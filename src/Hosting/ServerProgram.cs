using GrayMQ.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>A server started by itself: its command line, its settings, its process.</summary>
public static class ServerProgram
{
    private const int BadUsage = 2;

    /// <param name="name">The server, as it is named to people.</param>
    /// <param name="make">Makes the server from its settings; the file of -c is null where none was given.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync<TServer>(
        string name,
        IReadOnlyList<string> arguments,
        SettingsCatalogue catalogue,
        Func<EffectiveSettings, string?, ILoggerFactory, TServer> make)
        where TServer : IHostedService, IAsyncDisposable
    {
        string usage = $"usage: {name} [options]\n{ServerArguments.Usage}";
        if (!ServerArguments.TryParse(arguments, out ServerArguments? parsed, out string? problem))
        {
            await Console.Error.WriteLineAsync($"{problem}\n{usage}").ConfigureAwait(false);
            return BadUsage;
        }

        if (parsed.Help)
        {
            await Console.Out.WriteLineAsync(usage).ConfigureAwait(false);
            return 0;
        }

        SettingsLoad load = catalogue.Load(parsed.Sources);
        if (!load.Succeeded)
        {
            await Console.Error.WriteLineAsync(string.Join('\n', load.Errors)).ConfigureAwait(false);
            return BadUsage;
        }

        if (parsed.PrintConfig)
        {
            load.Settings.WriteTable(Console.Out);
            return 0;
        }

        using var signals = new StopSignals();
        var run = new ServerRun { Name = name, Output = Console.Out, Error = Console.Error, Warnings = load.Warnings, Hurry = signals.Hurry };
        return await run.RunAsync(loggers => make(load.Settings, parsed.File, loggers), static _ => null, signals.Token)
            .ConfigureAwait(false);
    }
}
