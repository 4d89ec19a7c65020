namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// How much of its write queues a broker shows when it has taken sends for a time: <c>(t / duration)^exponent</c>, up to 1. An exponent
/// above 1 begins more slowly and ends more steeply.
/// </summary>
/// <param name="Duration">Until everything is shown; zero shows everything at once.</param>
/// <param name="Exponent">Above 0.</param>
internal readonly record struct WarmupCurve(TimeSpan Duration, double Exponent)
{
    /// <summary>0 to 1.</summary>
    public double ShareAfter(TimeSpan sending) =>
        sending >= Duration ? 1 : sending <= TimeSpan.Zero ? 0 : Math.Pow(sending / Duration, Exponent);

    /// <summary>How many of a topic's write queues make up a share; at least one, for whoever finds none fails its sends.</summary>
    public static int QueuesOf(int queues, double share) => Math.Min(queues, Math.Max(1, (int)Math.Ceiling(queues * share)));
}
