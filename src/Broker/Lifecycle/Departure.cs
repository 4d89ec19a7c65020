using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Registration;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Has the broker leave without loss, step by step: the lease, the routes, the producers, the consumers. Each step says here what it waits
/// for. It can be taken back until the process ends.
/// </summary>
internal sealed class Departure : IDisposable
{
    // Topics that are named to people.
    private const int MostNamed = 20;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    // Each look asks for the routes of topics.
    private static readonly TimeSpan RouteLookInterval = TimeSpan.FromSeconds(1);

    /// <summary>For telling name servers, which comes between the lease and the quiet.</summary>
    private static readonly TimeSpan TellingTime = TimeSpan.FromSeconds(5);

    /// <summary>Looks in a row that have to find nothing left: one misses a message that is in the log and not yet in its queue.</summary>
    private const int LooksToBelieve = 2;

    private readonly LifecycleOptions _options;
    private readonly BrokerLifecycle _lifecycle;
    private readonly SendActivity _sends;
    private readonly WorkLeft _work;
    private readonly RouteView _view;
    private readonly WriteAlternatives _alternatives;
    private readonly DrainLease _lease;
    private readonly LeavingNotice _notice;
    private readonly NameServerRegistration _registration;
    private readonly ParkedPulls _pulls;
    private readonly ParkedPops _pops;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _asking = new(1);
    private DrainRequest? _request;
    private CancellationTokenSource? _running;
    private Task _leaving = Task.CompletedTask;
    private volatile string? _waitingFor;
    private volatile bool _brokenOff;
    private long _begunTimestamp;
    private long _toldTimestamp = long.MaxValue;

    public Departure(
        LifecycleOptions options,
        BrokerLifecycle lifecycle,
        SendActivity sends,
        WorkLeft work,
        RouteView view,
        WriteAlternatives alternatives,
        DrainLease lease,
        LeavingNotice notice,
        NameServerRegistration registration,
        ParkedPulls pulls,
        ParkedPops pops,
        TimeProvider time,
        ILogger<Departure> logger)
    {
        _options = options;
        _lifecycle = lifecycle;
        _sends = sends;
        _work = work;
        _view = view;
        _alternatives = alternatives;
        _lease = lease;
        _notice = notice;
        _registration = registration;
        _pulls = pulls;
        _pops = pops;
        _time = time;
        _logger = logger;
    }

    /// <summary>What was asked for; null while the broker stays.</summary>
    public DrainRequest? Request => Volatile.Read(ref _request);

    /// <summary>What is waited for now, in words; null when nothing.</summary>
    public string? WaitingFor => _waitingFor;

    /// <summary>The time until sends are refused whatever comes; zero while the broker stays.</summary>
    public TimeSpan TimeLeft => Request is null ? TimeSpan.Zero : Max(TimeSpan.Zero, _options.MaxDrain - _time.GetElapsedTime(_begunTimestamp));

    /// <summary>Whether the broker will be back soon, so that its route is to stay.</summary>
    public bool KeepsRoute => Request is { ScaleIn: false } && _options.Return > TimeSpan.Zero;

    /// <summary>Since when who sends ought to know better, as <see cref="TimeProvider.GetTimestamp"/> counts; MaxValue while nobody ought to.</summary>
    public long OughtToKnowSince => _toldTimestamp == long.MaxValue
        ? long.MaxValue
        : _toldTimestamp + (long)(_options.Quiet.TotalSeconds * _time.TimestampFrequency);

    /// <summary>Topics that were sent to lately, and that no other broker takes messages of.</summary>
    public IEnumerable<string> TopicsThatCannotMove => _sends
        .TopicsSince(_time.GetTimestamp() - (long)(_options.Quiet.TotalSeconds * _time.TimestampFrequency))
        .Where(topic => !_view.Moved.Contains(topic));

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

                Volatile.Write(ref _request, before with
                {
                    IsFinal = before.IsFinal || request.IsFinal,
                    Abandon = before.Abandon || (before.ScaleIn && request is { ScaleIn: true, Abandon: true }),
                });
                return;
            }

            if (_lifecycle.State != LifecycleState.Serving)
            {
                throw new InvalidOperationException($"a broker that is {_lifecycle.State.ToName()} cannot be drained");
            }

            Log.DrainAsked(_logger, request.AskedBy, request.Mode);
            _begunTimestamp = _time.GetTimestamp();
            _toldTimestamp = long.MaxValue;
            Volatile.Write(ref _request, request);
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
            _toldTimestamp = long.MaxValue;
            _waitingFor = null;
            await _registration.ComeBackAsync(_view.Stay).ConfigureAwait(false);
            await _lease.ReturnAsync(CancellationToken.None).ConfigureAwait(false);
            Volatile.Write(ref _request, null);
            _lifecycle.Enter(LifecycleState.Serving);
            _pulls.Release();
            _pops.Release();
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
                await UntilNothingIsLeftAsync(cancel).ConfigureAwait(false);
            }

            await UntilCommittedAsync(cancel).ConfigureAwait(false);
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

        _waitingFor = null;
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

            _waitingFor = $"{string.Join(", ", others)} to be back: as many brokers of the cluster leave as may";
            await PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    // Producers are sent elsewhere where there is an elsewhere.
    private async Task TellAsync(IReadOnlyCollection<string> others, CancellationToken cancel)
    {
        _waitingFor = "the name servers to know";
        WriteAlternativesAnswer answer = await _alternatives.FindAsync(others, cancel).ConfigureAwait(false);

        // Where else there is to send to is not known yet: until then it is sent to here, and served to the limit.
        while (answer is { Topics: null, AskAgain: true } && TimeLeft > TimeSpan.Zero)
        {
            _waitingFor = "a name server that has come back to know all brokers again";
            await Task.Delay(Min(RouteLookInterval, TimeLeft), _time, cancel).ConfigureAwait(false);
            answer = await _alternatives.FindAsync(others, cancel).ConfigureAwait(false);
        }

        if (answer.Topics is { } movable)
        {
            await _registration.AnnounceAsync(() => _view.Leave(movable)).ConfigureAwait(false);
        }

        _notice.Tell(leaving: true);
        Volatile.Write(ref _toldTimestamp, _time.GetTimestamp());
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

            _waitingFor = $"producers to go elsewhere: none may send for {_options.Quiet.TotalSeconds} s";
            await PauseAsync(cancel).ConfigureAwait(false);
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

        long last = Math.Max(_toldTimestamp, _sends.LastSendTo(_view.Moved));
        return _time.GetElapsedTime(last) >= _options.Quiet;
    }

    // It does not come back: whatever is stored here is consumed first, however long it takes. When the process has to end meanwhile, its
    // time is what a drain may take: what is left stays on the disk.
    private async Task UntilNothingIsLeftAsync(CancellationToken cancel)
    {
        while (true)
        {
            bool isConsumed = await UntilConsumedAsync(limit: null, cancel).ConfigureAwait(false);

            // What came since the last look is consumed as well, and nothing comes after it.
            _lifecycle.RefuseAllSends();
            if (!isConsumed || await UntilConsumedAsync(_options.Quiet, cancel).ConfigureAwait(false) || IsOutOfTime)
            {
                return;
            }

            // It may have become a dead letter, or be due in days: who has nowhere else to send to is served till then.
            _lifecycle.TakeSendsThatCannotMove();
        }
    }

    // False when there is something left and the limit, or the process's time, is over.
    private async Task<bool> UntilConsumedAsync(TimeSpan? limit, CancellationToken cancel)
    {
        long begun = _time.GetTimestamp();
        for (int looksWithout = 0; looksWithout < LooksToBelieve && Request is not { Abandon: true };)
        {
            string? left = DescribeUnconsumed() ?? DescribeSentTo();
            looksWithout = left is null ? looksWithout + 1 : 0;
            if (left is not null && IsOutOfTime)
            {
                Log.DrainNotConsumed(_logger, left);
                return false;
            }

            if (left is not null && _time.GetElapsedTime(begun) >= limit)
            {
                return false;
            }

            _waitingFor = left
                ?? (limit is null ? "a last look for what is left to be consumed" : "a last look for what came before every send was refused");
            await PauseAsync(cancel).ConfigureAwait(false);
        }

        return true;
    }

    private bool IsOutOfTime => Request is { IsFinal: true } && TimeLeft == TimeSpan.Zero;

    // What becomes backlog is counted before the backlog, so that a message on its way from one to the other is counted in one of them.
    private string? DescribeUnconsumed()
    {
        long transactions = _work.Transactions;
        long delayed = _work.Delayed;
        long popped = _work.PopsInFlight;
        List<string> left = [.. _work.FindBacklog().Select(group => $"{group.Value} messages for group {group.Key}")];
        left.AddRange(_work.FindDeadLetters().Select(topic => $"{topic.Value} messages in {topic.Key}"));
        Add(delayed, "delayed messages");
        Add(transactions, "transactions");
        Add(popped, "messages that were popped");
        return left.Count == 0 ? null : string.Join(", ", left);

        void Add(long count, string what)
        {
            if (count > 0)
            {
                left.Add($"{count} {what}");
            }
        }
    }

    // Their producers have nowhere else to go, and are to be given somewhere before this broker is no more.
    private string? DescribeSentTo()
    {
        string[] topics = _lifecycle.RefusesAllSends ? [] : [.. TopicsThatCannotMove.Order(StringComparer.Ordinal).Take(MostNamed)];
        return topics.Length == 0
            ? null
            : $"the producers of {string.Join(", ", topics)}, which no other broker takes: none may send for {_options.Quiet.TotalSeconds} s";
    }

    // What was delivered is committed and acknowledged here rather than delivered twice.
    private async Task UntilCommittedAsync(CancellationToken cancel)
    {
        _pulls.Hold();
        _pops.Hold();
        _lifecycle.HoldBack();
        long begun = _time.GetTimestamp();
        while (_work.AnyConsumer && _time.GetElapsedTime(begun) < _options.Consumers)
        {
            long uncommitted = _work.CountUncommitted();
            long popped = _work.PopsInFlight;
            if (uncommitted == 0 && popped == 0)
            {
                return;
            }

            _waitingFor = $"consumers to commit {uncommitted} and to acknowledge {popped} messages";
            await PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    // Out of the routes; consumers may still have something to commit.
    private async Task WithdrawAsync(CancellationToken cancel)
    {
        await _registration.WithdrawAsync(cancel).ConfigureAwait(false);
        long begun = _time.GetTimestamp();
        while (_work.AnyConsumer && _time.GetElapsedTime(begun) < _options.Linger)
        {
            _waitingFor = "the last commits";
            await PauseAsync(cancel).ConfigureAwait(false);
        }
    }

    private Task PauseAsync(CancellationToken cancel) => Task.Delay(LookInterval, _time, cancel);

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
