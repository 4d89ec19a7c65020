using GrayMQ.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>A server started by itself: its command line, its settings, its process.</summary>
public static class ServerProgram
{
    private const int Failure = 1;
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

        using ILoggerFactory loggers = ServerProcess.CreateLoggers(LogLevel.Information);
        ILogger logger = loggers.CreateLogger(name);
        foreach (SettingProblem warning in load.Warnings)
        {
            Log.SettingWarning(logger, warning.ToString());
        }

        try
        {
            TServer server = make(load.Settings, parsed.File, loggers);
            await using (server.ConfigureAwait(false))
            {
                await ServerProcess.RunAsync(server, static () => { }).ConfigureAwait(false);
            }

            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
            or System.Security.Cryptography.CryptographicException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return Failure;
        }
    }
}
