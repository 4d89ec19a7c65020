namespace GrayMQ.Broker.Lifecycle;

/// <summary>How far a broker is that shows a growing part of its write queues.</summary>
internal enum WarmupState
{
    /// <summary>Everything is shown: there is nothing to warm up for, or the setting says so.</summary>
    Off,

    /// <summary>No send has come yet: each topic shows the least that it may.</summary>
    Cold,

    /// <summary>As cold, and none has come for as long as warming takes: nobody waits for it to end.</summary>
    Idle,

    /// <summary>The part that is shown grows.</summary>
    Warming,

    /// <summary>Everything is shown.</summary>
    Warm,
}

/// <summary>What a state of warming up is called outside.</summary>
internal static class WarmupStateNames
{
    public static string ToName(this WarmupState state) => state switch
    {
        WarmupState.Off => "off",
        WarmupState.Cold => "cold",
        WarmupState.Idle => "idle",
        WarmupState.Warming => "warming",
        _ => "warm",
    };
}
