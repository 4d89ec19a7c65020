using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting.Logging;

/// <summary>
/// One entry, one line: <c>2026-11-21 09:30:00.123 INFO  RemotingServer  message</c>. Only an error that carries an exception takes more:
/// its stack trace follows, indented.
/// </summary>
internal sealed class LineLogger(string category, LogLines lines, TimeProvider time) : ILogger
{
    private readonly string _name = category[(category.LastIndexOf('.') + 1)..];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = new StringBuilder(160)
            .Append(time.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture))
            .Append(' ')
            .Append(Name(logLevel))
            .Append(_name)
            .Append("  ");
        AppendPrintable(line, formatter(state, exception));
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            line.Append(": ").Append(e.GetType().Name).Append(": ");
            AppendPrintable(line, e.Message);
        }

        if (exception?.StackTrace is { } trace && logLevel >= LogLevel.Error)
        {
            line.Append('\n').Append(trace);
        }

        lines.Add(line.ToString());
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE ",
        LogLevel.Debug => "DEBUG ",
        LogLevel.Information => "INFO  ",
        LogLevel.Warning => "WARN  ",
        LogLevel.Error => "ERROR ",
        _ => "FATAL ",
    };

    // What a peer sent can stand in a message: it must not begin a line of its own, nor steer the terminal.
    private static void AppendPrintable(StringBuilder line, string text)
    {
        foreach (char c in text)
        {
            line.Append(c switch
            {
                '\n' => "; ",
                _ when char.IsControl(c) => "\uFFFD",
                _ => null,
            });
            if (!char.IsControl(c))
            {
                line.Append(c);
            }
        }
    }
}
