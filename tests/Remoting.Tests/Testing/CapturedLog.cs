using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>Keeps every line that is logged.</summary>
internal sealed class CapturedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text, Exception? Error)> _lines = new();

    /// <summary>What an operator sees: all but debugging.</summary>
    public IReadOnlyList<string> Lines => [.. _lines.Where(line => line.Level >= LogLevel.Information).Select(line => line.Text)];

    public IReadOnlyList<string> Warnings => [.. _lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)];

    public IReadOnlyList<Exception> Errors => [.. _lines.Where(line => line.Error is not null).Select(line => line.Error!)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _lines.Enqueue((logLevel, formatter(state, exception), exception));
        }
    }
}
