namespace GrayMQ.Broker.Gray;

/// <summary>What is to become of a pull of a group with a release.</summary>
/// <param name="IsHeld">It gets nothing now: the queue, or what lies from its offset on, is another's.</param>
/// <param name="NextOffset">Where its client is to go on instead; -1 where it is to be answered.</param>
/// <param name="IsBack">That is below where it is: it has to forget what it holds of the queue.</param>
/// <param name="EndOffset">It is given messages below this offset only.</param>
internal readonly record struct PullVerdict(bool IsHeld, long NextOffset, bool IsBack, long EndOffset)
{
    public static PullVerdict Held { get; } = new(true, -1, false, 0);

    public static PullVerdict Below(long endOffset) => new(false, -1, false, endOffset);

    public static PullVerdict GoOnAt(long nextOffset) => new(false, nextOffset, false, 0);

    public static PullVerdict BackTo(long nextOffset) => new(false, nextOffset, true, 0);
}
