namespace GrayMQ.Store.Timers;

/// <summary>How a pending message stands.</summary>
public enum TimerStanding
{
    /// <summary>It waits.</summary>
    Pending,

    /// <summary>Somebody is delivering, rolling or recalling it.</summary>
    Taken,

    /// <summary>It was delivered, rolled or recalled; or it never was pending.</summary>
    Settled,
}
