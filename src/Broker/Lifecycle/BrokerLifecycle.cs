using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Where the broker stands in its life, and what follows from that: whether it is chosen, whether clients are served, whether sends are
/// taken, whether messages are handed out. Everything that depends on the life cycle asks here; only <see cref="Arrival"/>,
/// <see cref="Departure"/> and <see cref="BrokerHost"/> move it on. Of the share of a broker that serves, <see cref="Warmup"/> tells.
/// </summary>
/// <remarks>
/// <code>
/// state       entered when                               left when
/// Starting    the process makes the broker               settings and certificate are read
/// Recovering  the store is opened                        it is recovered, and what clients had registered is back
/// Standby     it is recovered                            the ports are open and the name servers have been told (Arrival says when)
/// Serving     the name servers have been told            it is asked to leave
/// Draining    it is asked to leave                       nobody is expected any more (Departure says when), or undrain: Serving
/// Drained     nobody is expected any more                the process is to end, or undrain: Serving
/// Stopped     the process is to end
/// </code>
/// Any state may be followed by Stopped.
/// </remarks>
internal sealed class BrokerLifecycle(TimeProvider time, ILogger<BrokerLifecycle> logger)
{
    private readonly Lock _changing = new();
    private volatile LifecycleState _state = LifecycleState.Starting;
    private volatile bool _refusesSends;
    private volatile bool _refusesAllSends;
    private volatile bool _holdsBack;
    private volatile bool _portsAreOpen;
    private long _sinceMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Raised after each change, outside of every lock.</summary>
    public event Action<LifecycleState>? Changed;

    public LifecycleState State => _state;

    /// <summary>When the state was entered, ms since 1970.</summary>
    public long SinceMs => Volatile.Read(ref _sinceMs);

    /// <summary>Whether a load balancer before many brokers may choose this one.</summary>
    public bool IsReady => _state == LifecycleState.Serving;

    /// <summary>
    /// Whether clients that come here are served. They are before the name servers know: a load balancer that asks lets them in by the time
    /// that they come.
    /// </summary>
    public bool IsAccepting => _state is LifecycleState.Serving or LifecycleState.Draining
        || (_state == LifecycleState.Standby && _portsAreOpen);

    /// <summary>Whether clients are told to go elsewhere.</summary>
    public bool IsLeaving => _state >= LifecycleState.Draining;

    /// <summary>
    /// Whether sends are refused that can go elsewhere. Acknowledgements, commits, ends of transactions and heartbeats never are.
    /// </summary>
    public bool RefusesSends => _refusesSends;

    /// <summary>Whether sends are refused wherever else they could go: the broker does not come back, and what is stored now would be left here.</summary>
    public bool RefusesAllSends => _refusesAllSends;

    /// <summary>Whether no message is handed out any more: who asks waits as if there was none.</summary>
    public bool HoldsBack => _holdsBack;

    /// <exception cref="InvalidOperationException">The state cannot follow the one that it is in.</exception>
    public void Enter(LifecycleState next)
    {
        LifecycleState before;
        lock (_changing)
        {
            before = _state;
            if (!MayFollow(before, next))
            {
                throw new InvalidOperationException($"{next.ToName()} cannot follow {before.ToName()}");
            }

            _state = next;
            _refusesSends &= next >= LifecycleState.Draining;
            _refusesAllSends &= next >= LifecycleState.Draining;
            _holdsBack &= next >= LifecycleState.Draining;
            Volatile.Write(ref _sinceMs, time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        Log.LifecycleChanged(logger, before.ToName(), next.ToName());
        Changed?.Invoke(next);
    }

    /// <summary>From now on clients are served.</summary>
    public void OpenPorts() => _portsAreOpen = true;

    /// <summary>From now on sends are refused, until it serves again.</summary>
    public void RefuseSends() => _refusesSends = _state >= LifecycleState.Draining;

    /// <summary>From now on every send is refused, until it serves again, or <see cref="TakeSendsThatCannotMove"/>.</summary>
    public void RefuseAllSends() => _refusesAllSends = _state >= LifecycleState.Draining;

    /// <summary>From now on sends are refused that can go elsewhere, and no others.</summary>
    public void TakeSendsThatCannotMove() => _refusesAllSends = false;

    /// <summary>From now on nothing is handed out, until it serves again.</summary>
    public void HoldBack() => _holdsBack = _state >= LifecycleState.Draining;

    private static bool MayFollow(LifecycleState before, LifecycleState next) => (before, next) switch
    {
        (LifecycleState.Stopped, _) => false,
        (_, LifecycleState.Stopped) => true,
        (LifecycleState.Starting, LifecycleState.Recovering) => true,
        (LifecycleState.Recovering, LifecycleState.Standby) => true,
        (LifecycleState.Standby, LifecycleState.Serving) => true,
        (LifecycleState.Serving, LifecycleState.Draining) => true,
        (LifecycleState.Draining, LifecycleState.Drained or LifecycleState.Serving) => true,
        (LifecycleState.Drained, LifecycleState.Serving) => true,
        _ => false,
    };
}
