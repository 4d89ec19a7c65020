namespace GrayMQ.NameServer.Lifecycle;

/// <summary>What a name server goes through, in this order.</summary>
internal enum LifecycleStage
{
    /// <summary>Its port is closed.</summary>
    Starting,

    /// <summary>It answers; whether it is to be chosen depends on who has registered.</summary>
    Serving,

    /// <summary>It answers as before, and is not to be chosen any more.</summary>
    Leaving,

    /// <summary>Nobody is let in any more; what has been asked is answered.</summary>
    Stopped,
}
