namespace GrayMQ.Broker.Statistics;

/// <summary>How much has gone by.</summary>
/// <param name="Requests">How often messages were counted: a batch, or the answer to a pull, counts once.</param>
public readonly record struct Traffic(long Messages, long Bytes, long Requests)
{
    public static Traffic operator +(Traffic left, Traffic right) =>
        new(left.Messages + right.Messages, left.Bytes + right.Bytes, left.Requests + right.Requests);

    public static Traffic operator -(Traffic left, Traffic right) =>
        new(left.Messages - right.Messages, left.Bytes - right.Bytes, left.Requests - right.Requests);
}

/// <summary>What went by in a span of time, which is never zero.</summary>
public readonly record struct TrafficInSpan(Traffic Sum, TimeSpan Span)
{
    public double MessagesPerSecond => PerSecond(Sum.Messages);

    public double BytesPerSecond => PerSecond(Sum.Bytes);

    private double PerSecond(long count) => count / Span.TotalSeconds;
}
