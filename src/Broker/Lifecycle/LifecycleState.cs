namespace GrayMQ.Broker.Lifecycle;

/// <summary>The stations of a broker's life, in their order.</summary>
internal enum LifecycleState
{
    /// <summary>Settings are read; nothing of the store is open.</summary>
    Starting,

    /// <summary>The store is being opened and recovered.</summary>
    Recovering,

    /// <summary>Everything is there; the ports are being opened, and name servers do not know of it yet.</summary>
    Standby,

    /// <summary>In the routes, for reading and writing.</summary>
    Serving,

    /// <summary>Not to be chosen any more; whoever comes all the same is served.</summary>
    Draining,

    /// <summary>Nobody is expected any more: it may be stopped at any time.</summary>
    Drained,

    /// <summary>The ports are closed.</summary>
    Stopped,
}

/// <summary>What a state is called outside.</summary>
internal static class LifecycleStateNames
{
    public static string ToName(this LifecycleState state) => state switch
    {
        LifecycleState.Starting => "starting",
        LifecycleState.Recovering => "recovering",
        LifecycleState.Standby => "standby",
        LifecycleState.Serving => "serving",
        LifecycleState.Draining => "draining",
        LifecycleState.Drained => "drained",
        _ => "stopped",
    };
}
