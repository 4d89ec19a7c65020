using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Serving;

/// <summary>What a broker logs, of all its parts, as it happens.</summary>
internal abstract class EventLog : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        OnEvent(eventId.Name ?? "", formatter(state, exception));

    public virtual void Dispose()
    {
    }

    /// <summary>On the thread that logs, which waits for it.</summary>
    protected abstract void OnEvent(string name, string text);
}
