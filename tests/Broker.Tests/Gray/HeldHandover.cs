using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Holds a broker in the middle of a change of hands: its boundary is decided, which is when the broker logs it, but not on disk, and not in
/// force.
/// </summary>
internal sealed class HeldHandover : ILoggerFactory, ILogger
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _released = new(initialState: true);
    private volatile bool _isHolding;

    /// <summary>The next handover that begins is held.</summary>
    public void Arm() => _released.Reset();

    public Task HeldAsync() => Eventually.TrueAsync(() => _isHolding, "a handover is held");

    public void Release() => _released.Set();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name == "HandoverBegun" && !_released.IsSet)
        {
            _isHolding = true;
            _released.Wait(Longest);
            _isHolding = false;
        }
    }

    // Whoever is held goes on: the broker is disposed of after a test that has failed, too.
    public void Dispose()
    {
        _released.Set();
        _released.Dispose();
    }
}
