using GrayMQ.NameServer.Returns;

namespace GrayMQ.NameServer.Lifecycle;

/// <summary>Where the name server stands in its life, and what follows from that: whether it is chosen, whether clients are served.</summary>
internal sealed class NameServerLifecycle(KnownBrokers known, LiveOptions options, TimeProvider time)
{
    private readonly long _startedAt = time.GetTimestamp();
    private volatile LifecycleStage _stage;

    /// <summary>Whether clients that come here are served.</summary>
    public bool IsAccepting => _stage is LifecycleStage.Serving or LifecycleStage.Leaving;

    /// <summary>Whether it is about to stop.</summary>
    public bool IsLeaving => _stage >= LifecycleStage.Leaving;

    /// <summary>Whether no route is given out because somebody wanted that of the first time after the start.</summary>
    public bool RefusesEveryRoute =>
        options.Current is { NeedWaitForService: true } current && time.GetElapsedTime(_startedAt) < current.WaitForService;

    /// <summary>Why it is not to be chosen, in words for people; null when it is.</summary>
    public string? NotReadyBecause => _stage switch
    {
        LifecycleStage.Starting => "its port is closed yet",
        LifecycleStage.Leaving or LifecycleStage.Stopped => "it is to stop",
        _ when RefusesEveryRoute => "it gives out no routes before waitSecondsForService are over",
        _ when known.IsWaiting => known.WaitingFor,
        _ => null,
    };

    /// <summary>The port is open.</summary>
    public void Serve() => _stage = LifecycleStage.Serving;

    /// <summary>It is to stop before long.</summary>
    public void Leave() => _stage = LifecycleStage.Leaving;

    /// <summary>The port closes.</summary>
    public void Stop() => _stage = LifecycleStage.Stopped;
}
