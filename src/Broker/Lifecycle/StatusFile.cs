using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// A file that is there while the broker is ready, for scripts and load balancers that look for one. Whoever removes it asks the broker
/// to leave; whoever puts it back asks it to stay.
/// </summary>
internal sealed class StatusFile : IDisposable
{
    private const string Actor = "status file";
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly BrokerLifecycle _lifecycle;
    private readonly Warmup _warmup;
    private readonly Departure _departure;
    private readonly ILogger _logger;
    private readonly ITimer _look;
    private int _looking;

    // Whether it was put there, so that its absence means something.
    private volatile bool _written;

    // Whether it is to be put there once the broker is warm.
    private volatile bool _waits;

    public StatusFile(
        string path, BrokerLifecycle lifecycle, Warmup warmup, Departure departure, TimeProvider time, ILogger<StatusFile> logger)
    {
        _path = path;
        _lifecycle = lifecycle;
        _warmup = warmup;
        _departure = departure;
        _logger = logger;
        lifecycle.Changed += Follow;
        _look = time.CreateTimer(_ => _ = LookAsync(), null, LookInterval, LookInterval);
    }

    public void Dispose() => _look.Dispose();

    private void Follow(LifecycleState state)
    {
        try
        {
            _waits = state == LifecycleState.Serving && _warmup.HoldsReadinessBack;
            if (state == LifecycleState.Serving && !_waits)
            {
                File.WriteAllText(_path, "ready\n");
                _written = true;
            }
            else if (state >= LifecycleState.Draining)
            {
                _written = false;
                File.Delete(_path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.StatusFileFailed(_logger, e, _path);
        }
    }

    private async Task LookAsync()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        try
        {
            if (_lifecycle.State == LifecycleState.Serving && _written && !File.Exists(_path))
            {
                await _departure.AskAsync(new DrainRequest(Actor)).ConfigureAwait(false);
            }
            else if (_waits)
            {
                Follow(_lifecycle.State);
            }
            else if (_departure.Request is { AskedBy: Actor, IsFinal: false } && File.Exists(_path))
            {
                await _departure.TakeBackAsync(Actor).ConfigureAwait(false);
            }
        }
        catch (InvalidOperationException e)
        {
            Log.StatusFileFailed(_logger, e, _path);
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }
}
