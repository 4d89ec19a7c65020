namespace GrayMQ.Protocol.Bodies;

/// <summary>
/// The version of a table (topics, groups, offsets): two tables with equal versions have equal contents.
/// </summary>
/// <param name="Counter">Counts changes.</param>
/// <param name="StateVersion">Epoch of the broker's role; a registration with a lower one loses. 0 without a controller.</param>
/// <param name="Timestamp">Milliseconds since 1970 of the last change.</param>
public readonly record struct DataVersion(long Counter, long StateVersion, long Timestamp)
{
    /// <summary>The version after one more change.</summary>
    public DataVersion Next(long nowMs, long stateVersion = 0) => new(Counter + 1, stateVersion, nowMs);
}
