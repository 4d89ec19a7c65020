using GrayMQ.Broker.Registration;
using GrayMQ.Broker.Topics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Gives a broker that has come a small share of the sends first: the routes show a part of its write queues, which grows with the time
/// since the first send. Only of topics that another broker takes messages of: of the others there is nobody to share with.
/// </summary>
/// <remarks>
/// <code>
/// state     entered when                                                 left when
/// Off       warmupMs is 0, or no topic can be shown in parts
/// Cold      the broker registers, though it may not be known yet who     a send comes that is no probe: Warming
///           else takes messages
/// Idle      none has come for as long as warming takes                   a send comes that is no probe: Warming
/// Warming   a send has come                                              warmupMs have gone since then
/// Warm      they have gone
/// </code>
/// </remarks>
internal sealed class Warmup : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly WarmupOptions _options;
    private readonly NarrowRules _rules;
    private readonly BrokerLifecycle _lifecycle;
    private readonly RouteView _view;
    private readonly TopicTable _topics;
    private readonly WriteAlternatives _alternatives;
    private readonly NameServerRegistration _registration;
    private readonly SendActivity _sends;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private IReadOnlyCollection<string> _narrowed = [];
    private long _begunTimestamp = long.MaxValue;
    private long _shown;
    private ITimer? _look;
    private int _looking;

    // Name servers are going to say which topics can be shown in parts.
    private volatile bool _asks;
    private volatile bool _wasReady;

    public Warmup(
        WarmupOptions options,
        NarrowRules rules,
        BrokerLifecycle lifecycle,
        RouteView view,
        TopicTable topics,
        WriteAlternatives alternatives,
        NameServerRegistration registration,
        SendActivity sends,
        TimeProvider time,
        ILogger<Warmup> logger)
    {
        _options = options;
        _rules = rules;
        _lifecycle = lifecycle;
        _view = view;
        _topics = topics;
        _alternatives = alternatives;
        _registration = registration;
        _sends = sends;
        _time = time;
        _logger = logger;
    }

    public WarmupState State
    {
        get
        {
            if (_narrowed.Count == 0 && !_asks)
            {
                return WarmupState.Off;
            }

            if (_sends.FirstSendTimestamp == long.MinValue)
            {
                return _time.GetElapsedTime(_begunTimestamp) < _options.Curve.Duration ? WarmupState.Cold : WarmupState.Idle;
            }

            return Reached < 1 ? WarmupState.Warming : WarmupState.Warm;
        }
    }

    /// <summary>The part of the write queues that is to be shown now, 0 to 1.</summary>
    public double Share => _narrowed.Count == 0 ? 1 : Reached;

    /// <summary>
    /// Whether warming up keeps the broker from being ready. Once it does not, it never does again: who is idle is ready, and stays so when
    /// its first send comes.
    /// </summary>
    public bool HoldsReadinessBack
    {
        get
        {
            if (_options.ReadyWhenWarm && !_wasReady && State is WarmupState.Cold or WarmupState.Warming)
            {
                return true;
            }

            _wasReady = true;
            return false;
        }
    }

    /// <summary>What has to come for the state to be left, in words; null when nothing.</summary>
    public string? WaitingFor => State switch
    {
        WarmupState.Cold or WarmupState.Idle when _asks => "the name servers to know which other brokers take messages",
        WarmupState.Cold or WarmupState.Idle => "a first send, to begin to warm up",
        WarmupState.Warming => $"being warm, in {Math.Ceiling((_options.Curve.Duration - _time.GetElapsedTime(_sends.FirstSendTimestamp)).TotalSeconds)} s",
        _ => null,
    };

    /// <summary>
    /// Narrows what the first registration is going to show; or a later one, where name servers are going to say who else takes messages
    /// once they know: they may be waiting for this broker's registration.
    /// </summary>
    public async Task BeginAsync(CancellationToken cancel)
    {
        if (_options.Curve.Duration == TimeSpan.Zero)
        {
            return;
        }

        WriteAlternativesAnswer answer = await _alternatives.FindAsync([], cancel).ConfigureAwait(false);
        _begunTimestamp = _time.GetTimestamp();
        _asks = answer.AskAgain;
        if (Choose(answer.Topics))
        {
            Show();
        }

        if (_narrowed.Count > 0 || _asks)
        {
            _look = _time.CreateTimer(_ => _ = LookAsync(), null, LookInterval, LookInterval);
        }
    }

    public void Dispose() => _look?.Dispose();

    // How far it has come since the first send, 0 to 1.
    private double Reached => _sends.FirstSendTimestamp is var first && first == long.MinValue
        ? 0
        : _options.Curve.ShareAfter(_time.GetElapsedTime(first));

    // Which topics show a part of their queues from now on; false when none does.
    private bool Choose(IReadOnlyCollection<string>? elsewhere)
    {
        if (elsewhere is null)
        {
            return false;
        }

        _begunTimestamp = _time.GetTimestamp();
        _narrowed =
        [
            .. from topic in elsewhere.Select(_topics.Find).OfType<Topic>()
               where _rules.QueuesOf(topic.Config, share: 0) < topic.Config.WriteQueueNums
               select topic.Name,
        ];
        if (_narrowed.Count == 0)
        {
            return false;
        }

        Log.WarmupBegun(_logger, _narrowed.Count, _options.Curve.Duration);
        return true;
    }

    // The queues that are shown by all topics together; they only ever become more.
    private long CountShown(double share) =>
        _narrowed.Select(_topics.Find).OfType<Topic>().Sum(topic => (long)_rules.QueuesOf(topic.Config, share));

    private void Show()
    {
        double share = Share;
        _shown = CountShown(share);
        _view.Narrow(_narrowed, share);
    }

    private async Task LookAsync()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        try
        {
            await (_asks ? AskAgainAsync() : GrowAsync()).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The next look tells it.
            Log.WarmupNotTold(_logger, e);
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private async Task AskAgainAsync()
    {
        if (_lifecycle.IsLeaving || Reached >= 1)
        {
            StopAsking();
            return;
        }

        WriteAlternativesAnswer answer = await _alternatives.FindAsync([], CancellationToken.None).ConfigureAwait(false);
        if (_lifecycle.IsLeaving || answer.Topics is not { } elsewhere)
        {
            // One that does not answer just now may the next time.
            return;
        }

        if (Choose(elsewhere))
        {
            _asks = false;
            await _registration.AnnounceAsync(Show).ConfigureAwait(false);
        }
        else
        {
            StopAsking();
        }
    }

    // Nothing is to be shown in parts.
    private void StopAsking()
    {
        _asks = false;
        Dispose();
    }

    private async Task GrowAsync()
    {
        double share = Share;
        if (share >= 1)
        {
            Dispose();
            Log.WarmedUp(_logger);
        }

        if (share >= 1 || CountShown(share) != _shown)
        {
            await _registration.AnnounceAsync(Show).ConfigureAwait(false);
        }
    }
}
