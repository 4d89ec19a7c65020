namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>RocketMQ's delay levels, as brokers have them unless set otherwise (messageDelayLevel): the first is level 1.</summary>
internal static class DelayLevels
{
    /// <summary>The level that has a message delivered when the broker's own table says, by the number of attempts.</summary>
    public const int ChosenByBroker = 0;

    /// <summary>The level that makes a message a dead letter.</summary>
    public const int DeadLetter = -1;

    private static readonly int[] Seconds =
        [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

    /// <summary>The first level that delays at least so long, or the last one.</summary>
    public static int AtLeast(TimeSpan delay)
    {
        int index = Array.FindIndex(Seconds, seconds => seconds >= delay.TotalSeconds);
        return index < 0 ? Seconds.Length : index + 1;
    }

    /// <summary>The level for a message that failed.</summary>
    /// <param name="failures">How often it failed, the latest time included.</param>
    public static int For(ConsumeResult result, RetryPolicy? policy, int failures) =>
        result.IsDeadLetter ? DeadLetter
        : result.Delay is { } delay ? AtLeast(delay)
        : policy is null ? ChosenByBroker
        : AtLeast(policy.DelayAfter(failures));
}
