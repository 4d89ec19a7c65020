using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>The life of a process that serves: started, told to stop by SIGTERM or SIGINT, and stopped in order.</summary>
public static class ServerProcess
{
    /// <summary>How long stopping may take before what is left is cut off.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Log lines on standard error, each in one line with its time.</summary>
    public static ILoggerFactory CreateLoggers(LogLevel level) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(level)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff ";
        })
        .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace));

    /// <summary>Starts <paramref name="server"/>, calls <paramref name="ready"/>, and stops it when the process is told to end.</summary>
    /// <param name="stop">Ends it from within the process as well.</param>
    public static async Task RunAsync(IHostedService server, Action ready, CancellationToken stop = default)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
        using CancellationTokenRegistration stopped = stop.Register(() => asked.TrySetResult());
        await server.StartAsync(CancellationToken.None).ConfigureAwait(false);
        ready();
        await asked.Task.ConfigureAwait(false);
        using var limited = new CancellationTokenSource(StopTimeout);
        await server.StopAsync(limited.Token).ConfigureAwait(false);

        void Ask(PosixSignalContext signal)
        {
            signal.Cancel = true;
            asked.TrySetResult();
        }
    }
}
