using System.Diagnostics;
using GrayMQ.Cli.Logging;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The life of a server command: start, one line when it is ready, wait for a signal, stop.</summary>
internal static class ServerRun
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    /// <param name="context">The process around it.</param>
    /// <param name="level">The least level that is logged.</param>
    /// <param name="warnings">What was noticed about the settings.</param>
    /// <param name="open">Makes the server.</param>
    /// <param name="stop">Cancelled to stop it.</param>
    /// <returns>The exit code; errors are told on <see cref="CommandContext.Error"/>, each in one message without a stack trace.</returns>
    public static async Task<int> ServeAsync(
        CommandContext context,
        LogLevel level,
        IEnumerable<SettingProblem> warnings,
        Func<ILoggerFactory, IServer> open,
        CancellationToken stop)
    {
        Exception? failure = null;
        await using (var lines = new LogLines(context.Error, context.Time))
        {
            using LoggerFactory loggers = LineLoggerProvider.CreateFactory(lines, level, context.Time);
            ILogger logger = loggers.CreateLogger("graymq");
            foreach (SettingProblem warning in warnings)
            {
                Log.SettingWarning(logger, warning.ToString());
            }

            try
            {
                await RunAsync(context, () => open(loggers), logger, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Told to stop before it was ready.
            }
            catch (Exception e) when (e is not UnreachableException)
            {
                Log.StartFailed(logger, e);
                failure = e;
            }
        }

        // After the log, so that the last line is the one that counts.
        if (failure is not null)
        {
            context.WriteError(StartFailure.Describe(failure));
        }

        return failure is null ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task RunAsync(CommandContext context, Func<IServer> open, ILogger logger, CancellationToken stop)
    {
        // Opening recovers the store, which takes time; meanwhile a signal waits for its turn.
        await using IServer server = open();
        await server.StartAsync(stop).ConfigureAwait(false);
        context.WriteLine(server.ReadyLine);

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.Register(stopped.SetResult))
        {
            await stopped.Task.ConfigureAwait(false);
        }

        Log.Stopping(logger);
        using var limited = new CancellationTokenSource(StopTimeout, context.Time);
        await server.StopAsync(limited.Token).ConfigureAwait(false);
    }
}
