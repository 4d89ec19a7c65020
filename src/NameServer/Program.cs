using System.Runtime.InteropServices;
using GrayMQ.NameServer;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

return await NameServerProgram.RunAsync(args).ConfigureAwait(false);

/// <summary>The name server as a process of its own.</summary>
internal static class NameServerProgram
{
    private const int Failure = 1;
    private const int BadUsage = 2;

    private const string Usage = """
        usage: namesrv [-c FILE] [--set KEY=VALUE]... [--print-config]

          -c FILE           settings, as in RocketMQ's namesrv.conf
          --set KEY=VALUE   one setting, before that of the file
          --print-config    show every setting and where its value comes from, and exit
        """;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string[] arguments)
    {
        var sources = new SettingsSources().Environment();
        string? file = null;
        bool print = false;
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "-c" when i + 1 < arguments.Length:
                    sources.File(file = arguments[++i]);
                    break;
                case "--set" when i + 1 < arguments.Length:
                    sources.Set(arguments[++i]);
                    break;
                case "--print-config":
                    print = true;
                    break;
                case "-h" or "--help":
                    Console.Out.WriteLine(Usage);
                    return 0;
                default:
                    Console.Error.WriteLine($"unexpected argument: {arguments[i]}\n{Usage}");
                    return BadUsage;
            }
        }

        SettingsLoad load = NameServerSettings.Catalogue().Load(sources);
        if (!load.Succeeded)
        {
            foreach (SettingProblem error in load.Errors)
            {
                Console.Error.WriteLine(error);
            }

            return BadUsage;
        }

        if (print)
        {
            load.Settings.WriteTable(Console.Out);
            return 0;
        }

        return await ServeAsync(load, file).ConfigureAwait(false);
    }

    private static async Task<int> ServeAsync(SettingsLoad load, string? file)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff ";
        }));
        ILogger logger = loggers.CreateLogger(nameof(NameServerProgram));
        foreach (SettingProblem warning in load.Warnings)
        {
            Log.SettingWarning(logger, warning.ToString());
        }

        try
        {
            await using var host = new NameServerHost(load.GetOrThrow(), TimeProvider.System, loggers, file);
            var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
            await host.StartAsync().ConfigureAwait(false);
            await asked.Task.ConfigureAwait(false);
            using var limited = new CancellationTokenSource(StopTimeout);
            await host.StopAsync(limited.Token).ConfigureAwait(false);
            return 0;

            void Ask(PosixSignalContext signal)
            {
                signal.Cancel = true;
                asked.TrySetResult();
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
            or System.Security.Cryptography.CryptographicException)
        {
            Console.Error.WriteLine(e.Message);
            return Failure;
        }
    }
}
