using GrayMQ.Hosting.Logging;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>The life of a server that fills a process: start, one line when it is ready, wait until it is to stop, leave, stop.</summary>
public sealed record ServerRun
{
    /// <summary>The exit code of a server that did not start, or broke.</summary>
    public const int Failure = 1;

    /// <summary>How long stopping may take before what is left is cut off.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private static readonly TaskCompletionSource Never = new();

    /// <summary>The command, as errors and log lines name it.</summary>
    public required string Name { get; init; }

    /// <summary>Where the ready line goes, and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Where errors and log lines go.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>The least level that is logged.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>What was noticed about the settings.</summary>
    public IEnumerable<SettingProblem> Warnings { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Cancelled when a server that is leaving is to wait for nobody any more.</summary>
    public CancellationToken Hurry { get; init; }

    /// <summary>Runs a server until <paramref name="stop"/> is cancelled.</summary>
    /// <param name="make">Makes it; recovers what it stores.</param>
    /// <param name="readyLine">Says where it serves, once it does; null prints nothing.</param>
    /// <returns>The exit code. An error is one message on <see cref="Error"/>, the last one there, without a stack trace.</returns>
    public async Task<int> RunAsync<TServer>(
        Func<ILoggerFactory, TServer> make, Func<TServer, string?> readyLine, CancellationToken stop)
        where TServer : IHostedService, IAsyncDisposable
    {
        Exception? failure = null;
        var lines = new LogLines(Error, Time);
        await using (lines.ConfigureAwait(false))
        {
            using LoggerFactory loggers = LineLoggerProvider.CreateFactory(lines, Level, Time);
            ILogger logger = loggers.CreateLogger(Name);
            foreach (SettingProblem warning in Warnings)
            {
                Log.SettingWarning(logger, warning.ToString());
            }

            try
            {
                await ServeAsync(() => make(loggers), readyLine, logger, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Told to stop before it was ready.
            }
            catch (Exception e)
            {
                Log.StartFailed(logger, e);
                failure = e;
            }
        }

        if (failure is null)
        {
            return 0;
        }

        await Error.WriteLineAsync($"{Name}: {StartFailure.Describe(failure)}").ConfigureAwait(false);
        return Failure;
    }

    private async Task ServeAsync<TServer>(
        Func<TServer> make, Func<TServer, string?> readyLine, ILogger logger, CancellationToken stop)
        where TServer : IHostedService, IAsyncDisposable
    {
        // Making it recovers the store, which takes its time; meanwhile a signal waits for its turn.
        TServer server = make();
        await using (server.ConfigureAwait(false))
        {
            await server.StartAsync(stop).ConfigureAwait(false);
            if (readyLine(server) is { } line)
            {
                await Output.WriteLineAsync(line).ConfigureAwait(false);
                await Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }

            SystemdNotice.Ready();
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            CancellationTokenRegistration registration = stop.Register(stopped.SetResult);
            await using (registration.ConfigureAwait(false))
            {
                await Task.WhenAny(stopped.Task, ReplacedOf(server)).ConfigureAwait(false);
                if (stopped.Task.IsCompleted)
                {
                    SystemdNotice.Stopping();
                }
            }

            // Whose place is taken leaves nobody without a server, and need not leave.
            Log.Stopping(logger);
            Task leaving = Task.CompletedTask;
            if (stopped.Task.IsCompleted && server is IDrainable drainable)
            {
                leaving = drainable.DrainAsync(Hurry);
                await Task.WhenAny(leaving, ReplacedOf(server)).ConfigureAwait(false);
            }

            using var limited = new CancellationTokenSource(StopTimeout, Time);
            await server.StopAsync(limited.Token).ConfigureAwait(false);
            await leaving.ConfigureAwait(false);
        }
    }

    private static Task ReplacedOf<TServer>(TServer server) =>
        server is IReplaceable replaceable ? replaceable.Replaced : Never.Task;
}
