using GrayMQ.Broker;
using GrayMQ.Remoting.Servers;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

return await BrokerProgram.RunAsync(args).ConfigureAwait(false);

/// <summary>The broker as a process of its own.</summary>
internal static class BrokerProgram
{
    private const int Failure = 1;
    private const int BadUsage = 2;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (!ServerArguments.TryParse(arguments, out ServerArguments? parsed, out string? problem))
        {
            Console.Error.WriteLine($"{problem}\nusage: broker [options]\n{ServerArguments.Usage}");
            return BadUsage;
        }

        if (parsed.Help)
        {
            Console.Out.WriteLine($"usage: broker [options]\n{ServerArguments.Usage}");
            return 0;
        }

        SettingsLoad load = BrokerSettings.Catalogue.Load(parsed.Sources);
        if (!load.Succeeded)
        {
            foreach (SettingProblem error in load.Errors)
            {
                Console.Error.WriteLine(error);
            }

            return BadUsage;
        }

        if (parsed.PrintConfig)
        {
            load.Settings.WriteTable(Console.Out);
            return 0;
        }

        return await ServeAsync(load).ConfigureAwait(false);
    }

    private static async Task<int> ServeAsync(SettingsLoad load)
    {
        using ILoggerFactory loggers = ServerProcess.CreateLoggers(LogLevel.Information);
        ILogger logger = loggers.CreateLogger(nameof(BrokerProgram));
        foreach (SettingProblem warning in load.Warnings)
        {
            Log.SettingWarning(logger, warning.ToString());
        }

        try
        {
            await using var host = new BrokerHost(load.GetOrThrow(), TimeProvider.System, loggers);
            await ServerProcess.RunAsync(host, static () => { }).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
            or System.Security.Cryptography.CryptographicException)
        {
            Console.Error.WriteLine(e.Message);
            return Failure;
        }
    }
}
