using GrayMQ.Broker.Registration;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Has the broker leave without loss, step by step: the lease, the routes, the producers, the consumers. Each step says here what it waits
/// for. It can be taken back until the process ends.
/// </summary>
internal sealed class Departure : IDisposable
{
    // Each look asks for the routes of topics.
    private static readonly TimeSpan RouteLookInterval = TimeSpan.FromSeconds(1);

    /// <summary>For telling name servers, which comes between the lease and the quiet.</summary>
    private static readonly TimeSpan TellingTime = TimeSpan.FromSeconds(5);

    private readonly LifecycleOptions _options;
    private readonly BrokerLifecycle _lifecycle;
    private readonly SendActivity _sends;
    private readonly Consumption _consumption;
    private readonly DrainProgress _progress;
    private readonly RouteView _view;
    private readonly WriteAlternatives _alternatives;
    private readonly DrainLease _lease;
    private readonly LeavingNotice _notice;
    private readonly NameServerRegistration _registration;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _asking = new(1);
    private CancellationTokenSource? _running;
    private Task _leaving = Task.CompletedTask;
    private volatile bool _brokenOff;

    public Departure(
        LifecycleOptions options,
        BrokerLifecycle lifecycle,
        SendActivity sends,
        DrainProgress progress,
        Consumption consumption,
        RouteView view,
        WriteAlternatives alternatives,
        DrainLease lease,
        LeavingNotice notice,
        NameServerRegistration registration,
        TimeProvider time,
        ILogger<Departure> logger)
    {
        _options = options;
        _lifecycle = lifecycle;
        _sends = sends;
        _progress = progress;
        _consumption = consumption;
        _view = view;
        _alternatives = alternatives;
        _lease = lease;
        _notice = notice;
        _registration = registration;
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc cref="DrainProgress.Request"/>
    public DrainRequest? Request => _progress.Request;

    /// <inheritdoc cref="DrainProgress.WaitingFor"/>
    public string? WaitingFor => _progress.WaitingFor;

    /// <inheritdoc cref="DrainProgress.TimeLeft"/>
    public TimeSpan TimeLeft => _progress.TimeLeft;

    /// <summary>Whether the broker will be back soon, so that its route is to stay.</summary>
    public bool KeepsRoute => Request is { ScaleIn: false } && _options.Return > TimeSpan.Zero;

    /// <inheritdoc cref="DrainProgress.OughtToKnowSince"/>
    public long OughtToKnowSince => _progress.OughtToKnowSince;

    /// <inheritdoc cref="Consumption.TopicsThatCannotMove"/>
    public IEnumerable<string> TopicsThatCannotMove => _consumption.TopicsThatCannotMove;

    /// <summary>
    /// Asks the broker to leave; asked twice is asked once, but that what is final stays so, and that a scale-in that waits may be told to
    /// give up what it waits for. Completes when it is under way.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The broker does not serve, or leaves already and will not do all that is asked.
    /// </exception>
    public async Task AskAsync(DrainRequest request)
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Request is { } before)
            {
                if (!request.IsMetBy(before))
                {
                    throw new InvalidOperationException(
                        $"the broker leaves already, as {before.AskedBy} asked, for a {before.Mode} that may leave messages behind: have it stay first, then ask again");
                }

                _progress.Request = before with
                {
                    IsFinal = before.IsFinal || request.IsFinal,
                    Abandon = before.Abandon || (before.ScaleIn && request is { ScaleIn: true, Abandon: true }),
                };
                return;
            }

            if (_lifecycle.State != LifecycleState.Serving)
            {
                throw new InvalidOperationException($"a broker that is {_lifecycle.State.ToName()} cannot be drained");
            }

            Log.DrainAsked(_logger, request.AskedBy, request.Mode);
            _progress.Begin(request);
            _running = new CancellationTokenSource();
            _brokenOff = false;
            _lifecycle.Enter(LifecycleState.Draining);
            _leaving = LeaveAsync(request, _running.Token);
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Waits until the broker has left; sooner when <paramref name="hurry"/> is cancelled, which ends the waiting of each step.</summary>
    public async Task WaitAsync(CancellationToken hurry)
    {
        CancellationTokenRegistration hurried = hurry.UnsafeRegister(static running => ((CancellationTokenSource)running!).Cancel(), _running);
        await using (hurried.ConfigureAwait(false))
        {
            await _leaving.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ends it where it stands, before the broker stops: nobody is waited for any more, and nothing more is refused than was.
    /// </summary>
    public async Task BreakOffAsync()
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_running is not null)
            {
                _brokenOff = true;
                await _running.CancelAsync().ConfigureAwait(false);
                await _leaving.ConfigureAwait(false);
            }
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Takes it back: the broker serves again. False when it was not leaving.</summary>
    /// <exception cref="InvalidOperationException">The process is about to end.</exception>
    public async Task<bool> TakeBackAsync(string askedBy)
    {
        await _asking.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Request is not { } request || _lifecycle.State == LifecycleState.Stopped)
            {
                return false;
            }

            if (request.IsFinal)
            {
                throw new InvalidOperationException($"the process ends, as {request.AskedBy} asked: that cannot be taken back");
            }

            _brokenOff = true;
            await _running!.CancelAsync().ConfigureAwait(false);
            await _leaving.ConfigureAwait(false);
            _running.Dispose();
            _running = null;
            Log.DrainTakenBack(_logger, askedBy);
            _progress.TakeBack();
            await _registration.ComeBackAsync(_view.Stay).ConfigureAwait(false);
            await _lease.ReturnAsync(CancellationToken.None).ConfigureAwait(false);
            _progress.Request = null;
            _lifecycle.Enter(LifecycleState.Serving);
            _consumption.Release();
            _notice.Tell(leaving: false);
            return true;
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose()
    {
        _running?.Dispose();
        _asking.Dispose();
    }

    private async Task LeaveAsync(DrainRequest request, CancellationToken cancel)
    {
        await Task.Yield();
        try
        {
            IReadOnlyCollection<string> others = await TakeLeaseAsync(request, cancel).ConfigureAwait(false);
            await TellAsync(others, cancel).ConfigureAwait(false);
            await UntilQuietAsync(cancel).ConfigureAwait(false);
            if (request.ScaleIn)
            {
                await _consumption.UntilNothingIsLeftAsync(cancel).ConfigureAwait(false);
            }

            await _consumption.UntilCommittedAsync(cancel).ConfigureAwait(false);
            if (request.ScaleIn)
            {
                await WithdrawAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Taken back, or in a hurry.
        }
        catch (Exception e)
        {
            // What could not be done must not keep the broker from being stopped.
            Log.DrainFailed(_logger, e);
        }

        _progress.WaitingFor = null;
        if (!_brokenOff)
        {
            _lifecycle.Enter(LifecycleState.Drained);
            _lifecycle.HoldBack();
            _lifecycle.RefuseSends();
        }
    }

    // Two brokers that leave at once would each count on the other. The one that waits for too long leaves all the same, and counts on
    // others than those that leave; the time that producers need to go elsewhere is left to it.
    private async Task<IReadOnlyCollection<string>> TakeLeaseAsync(DrainRequest request, CancellationToken cancel)
    {
        while (true)
        {
            (bool granted, IReadOnlyCollection<string> others) = await _lease.TryTakeAsync(request, cancel).ConfigureAwait(false);
            if (granted)
            {
                return others;
            }

            if (TimeLeft <= Min(_options.Quiet + TellingTime, _options.MaxDrain / 2))
            {
                Log.LeaseNotGranted(_logger, string.Join(", ", others));
                return others;
            }

            _progress.WaitingFor = $"{string.Join(", ", others)} to be back: as many brokers of the cluster leave as may";
            await _progress.PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    // Producers are sent elsewhere where there is an elsewhere.
    private async Task TellAsync(IReadOnlyCollection<string> others, CancellationToken cancel)
    {
        _progress.WaitingFor = "the name servers to know";
        WriteAlternativesAnswer answer = await _alternatives.FindAsync(others, cancel).ConfigureAwait(false);

        // Where else there is to send to is not known yet: until then it is sent to here, and served to the limit.
        while (answer is { Topics: null, AskAgain: true } && TimeLeft > TimeSpan.Zero)
        {
            _progress.WaitingFor = "a name server that has come back to know all brokers again";
            await Task.Delay(Min(RouteLookInterval, TimeLeft), _time, cancel).ConfigureAwait(false);
            answer = await _alternatives.FindAsync(others, cancel).ConfigureAwait(false);
        }

        if (answer.Topics is { } movable)
        {
            await _registration.AnnounceAsync(() => _view.Leave(movable)).ConfigureAwait(false);
        }

        _notice.Tell(leaving: true);
        _progress.Told();
    }

    private async Task UntilQuietAsync(CancellationToken cancel)
    {
        while (!IsQuiet())
        {
            if (TimeLeft == TimeSpan.Zero)
            {
                Log.DrainNotQuiet(_logger, _options.MaxDrain, string.Join(", ", _sends.SendersSince(OughtToKnowSince, most: 20)));
                break;
            }

            _progress.WaitingFor = $"producers to go elsewhere: none may send for {_options.Quiet.TotalSeconds} s";
            await _progress.PauseAsync(cancel).ConfigureAwait(false);
        }

        _lifecycle.RefuseSends();
    }

    // Nobody is there who could send elsewhere, or everybody has been told for long enough and does.
    private bool IsQuiet()
    {
        if (_view.Moved.Count == 0 || !_sends.AnyProducer)
        {
            return true;
        }

        long last = Math.Max(_progress.ToldTimestamp, _sends.LastSendTo(_view.Moved));
        return _time.GetElapsedTime(last) >= _options.Quiet;
    }

    // Out of the routes; consumers may still have something to commit.
    private async Task WithdrawAsync(CancellationToken cancel)
    {
        await _registration.WithdrawAsync(cancel).ConfigureAwait(false);
        long begun = _time.GetTimestamp();
        while (_consumption.AnyConsumer && _time.GetElapsedTime(begun) < _options.Linger)
        {
            _progress.WaitingFor = "the last commits";
            await _progress.PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
