namespace GrayMQ.Chaos.Gray;

/// <summary>A message that a broker has acknowledged.</summary>
/// <param name="IsLate">Whether it comes to its queue later than it was sent: delayed, or failed once.</param>
/// <param name="Phase">In which it was sent; null when that has changed while it was sent.</param>
internal sealed record SoakMessage(string Id, string Topic, string Tag, bool IsGray, bool IsLate, GrayPhase? Phase)
{
    /// <summary>Who has to consume it.</summary>
    public Expectation Expect()
    {
        // A tag that only one shape takes is dropped where the other one consumes; all else is consumed by some version in the end.
        bool isForAll = Topic != Shape.Orders || Shape.Small.Takes(Topic, Tag);
        if (IsLate || Phase is not { } phase || OwnerIn(phase) is not { } owner)
        {
            return new Expectation(null, isForAll);
        }

        bool isTaken = owner.Shape.Takes(Topic, Tag);
        if (phase.Gray is null || owner == phase.Normal)
        {
            return phase is { Gray: { } joined, Ending: Ending.Join } && isTaken
                ? new Expectation([owner.Number, joined.Number], true)
                : new Expectation(isTaken ? [owner.Number] : [], isTaken);
        }

        // What a withdrawn side has not consumed falls to the normal one, or to the next that subscribes.
        return phase.Ending == Ending.Withdraw
            ? new Expectation(null, isForAll)
            : new Expectation(isTaken ? [owner.Number] : [], isTaken);
    }

    // Who owns the queues that it is in, by the rules of gray release; null for nobody yet.
    private ServiceVersion? OwnerIn(GrayPhase phase)
    {
        ServiceVersion? normal = phase.Normal.Shape.Subscribes(Topic) ? phase.Normal : null;
        ServiceVersion? gray = phase.Gray is { } version && version.Shape.Subscribes(Topic) ? version : null;
        bool isGrayTopic = phase.TopicsAreOn && Shape.GrayTopics.Contains(Topic);
        return !isGrayTopic ? normal ?? gray
            : IsGray ? gray ?? normal
            : normal;
    }
}

/// <summary>Who has to consume a message.</summary>
/// <param name="Versions">The only versions that may; null for any, but one.</param>
/// <param name="IsRequired">Whether one has to.</param>
internal sealed record Expectation(IReadOnlyList<int>? Versions, bool IsRequired);
