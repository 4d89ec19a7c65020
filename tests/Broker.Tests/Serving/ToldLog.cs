using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Serving;

/// <summary>Keeps what a broker logs.</summary>
internal sealed class ToldLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(string Event, string Text)> _lines = new();

    /// <summary>The lines of an event, by its name.</summary>
    public IReadOnlyList<string> Of(string name) => [.. _lines.Where(line => line.Event == name).Select(line => line.Text)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Name ?? "", formatter(state, exception)));

    public void Dispose()
    {
    }
}
