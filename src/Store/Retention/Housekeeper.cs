using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Retention;

/// <summary>Does what has to be done every now and then, on one thread: check points, cleaning, samples for the rates.</summary>
internal sealed class Housekeeper : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly StoreOptions _options;
    private readonly CheckPointer _checkPointer;
    private readonly Cleaner _cleaner;
    private readonly StoreStatistics _statistics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _signal = new();
    private readonly Thread _thread;
    private ITimer? _timer;
    private volatile bool _ticked;
    private volatile bool _stopping;
    private long _cleanedAt;
    private long _sampledAt;

    public Housekeeper(
        StoreOptions options,
        CheckPointer checkPointer,
        Cleaner cleaner,
        StoreStatistics statistics,
        TimeProvider time,
        ILogger logger)
    {
        _options = options;
        _checkPointer = checkPointer;
        _cleaner = cleaner;
        _statistics = statistics;
        _time = time;
        _logger = logger;
        _thread = new Thread(Run) { Name = "store-housekeeping", IsBackground = true };
    }

    public void Start()
    {
        _cleanedAt = _sampledAt = _time.GetTimestamp();
        _thread.Start();
        var smallest = TimeSpan.FromMilliseconds(Math.Min(_options.CheckPointIntervalMs, _options.CleanIntervalMs));
        TimeSpan interval = smallest < Tick ? smallest : Tick;
        _timer = _time.CreateTimer(static state => ((Housekeeper)state!).OnTick(), this, interval, interval);
    }

    public void Stop()
    {
        _timer?.Dispose();
        _stopping = true;
        _signal.Wake();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    public void Dispose() => _signal.Dispose();

    private void OnTick()
    {
        _ticked = true;
        _signal.Wake();
    }

    private void Run()
    {
        while (!_stopping)
        {
            if (_ticked)
            {
                _ticked = false;
                TryWork();
                continue;
            }

            _signal.PrepareToSleep();
            if (_ticked || _stopping)
            {
                _signal.StayAwake();
                continue;
            }

            _signal.Sleep();
        }
    }

    private void TryWork()
    {
        try
        {
            if (_time.GetElapsedTime(_sampledAt) >= Tick)
            {
                _sampledAt = _time.GetTimestamp();
                _statistics.TakeSample();
            }

            if (_checkPointer.IsDue)
            {
                _checkPointer.Take();
            }

            if (_time.GetElapsedTime(_cleanedAt) >= TimeSpan.FromMilliseconds(_options.CleanIntervalMs))
            {
                _cleanedAt = _time.GetTimestamp();
                _cleaner.Run();
                _cleaner.UnmapIdle();
            }
        }
        catch (Exception e)
        {
            Log.ThreadFailed(_logger, e, "housekeeping");
        }
    }
}
