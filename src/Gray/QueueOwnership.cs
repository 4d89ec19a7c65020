namespace GrayMQ.Gray;

/// <summary>
/// Who consumes one queue for one group, and how far it is being handed to another. A queue changes hands exactly at an offset, and only
/// once the side that gives it up has consumed everything before that offset:
/// <code>
/// owned ──target changes──► handed over, boundary B ──all below B consumed──► owned by the next, from B on
///   ▲                           │
///   └───── target is back ──────┘
/// </code>
/// Immutable; every method returns the state after. What the log and the group say comes from outside.
/// </summary>
public sealed record QueueOwnership
{
    /// <summary>Where no offset is meant.</summary>
    public const long None = -1;

    /// <summary>Who consumes the queue; null for nobody.</summary>
    public Side? Owner { get; init; }

    /// <summary>Whether it is being handed over.</summary>
    public bool IsHandedOver { get; init; }

    /// <summary>Who gets it, null for nobody; of no meaning unless it is handed over.</summary>
    public Side? Next { get; init; }

    /// <summary>Where it changes hands; <see cref="None"/> unless it is handed over. The owner gets nothing at or above it.</summary>
    public long Boundary { get; init; } = None;

    /// <summary>
    /// Where the owner began: offsets below were another's to consume, and who comes with such an offset holds one of before.
    /// </summary>
    public long Start { get; init; }

    /// <summary>When the handover began, ms since 1970.</summary>
    public long SinceMs { get; init; }

    /// <summary>When it ends whether the boundary is reached or not, ms since 1970; 0 for never.</summary>
    public long DeadlineMs { get; init; }

    /// <summary>Where the next owner begins at least, because what lies before is to be skipped; <see cref="None"/> for nothing.</summary>
    public long SkipTo { get; init; } = None;

    /// <summary>The <see cref="GrayRelease.Forced"/> under which the handover began: a higher one ends it.</summary>
    public long ForcedBefore { get; init; }

    /// <summary>Below which queue offset the owner may be given messages.</summary>
    public long Cap => IsHandedOver ? Boundary : long.MaxValue;

    /// <summary>A queue that someone owns from an offset on.</summary>
    public static QueueOwnership Of(Side? owner, long start) => new() { Owner = owner, Start = start };

    /// <summary>Whether a side may be given the message at an offset.</summary>
    public bool Allows(Side side, long offset) => Owner == side && offset < Cap;

    /// <summary>The state once the queue is to belong to <paramref name="target"/>; this one where nothing changes.</summary>
    public QueueOwnership Retarget(Side? target, in HandoverTerms terms)
    {
        if (!IsHandedOver)
        {
            return target == Owner ? this
                : Owner is null ? Of(target, Start)
                : this with
                {
                    IsHandedOver = true,
                    Next = target,
                    Boundary = terms.Boundary,
                    SinceMs = terms.NowMs,
                    DeadlineMs = terms.DeadlineMs,
                    SkipTo = terms.SkipTo,
                    ForcedBefore = terms.Forced,
                };
        }

        // Whoever kept it has it again: what the other one would have got it is given after all.
        return target == Owner ? Of(Owner, Start)
            : target == Next ? this
            : this with { Next = target };
    }

    /// <summary>How far the handover has come.</summary>
    public HandoverLook Look(in QueueFacts facts)
    {
        if (!IsHandedOver)
        {
            return default;
        }

        long left = Math.Max(0, Boundary - Math.Max(facts.Committed, facts.Min));
        return Owner is null || facts.Min >= Boundary ? new HandoverLook(true, 0, null)
            : left == 0 && facts.Unacked == 0 ? new HandoverLook(true, 0, null)
            : facts.Forced > ForcedBefore ? new HandoverLook(true, left + facts.Unacked, null)
            : !facts.OwnerSubscribes ? new HandoverLook(true, 0, null)
            : DeadlineMs > 0 && facts.NowMs >= DeadlineMs ? new HandoverLook(true, 0, null)
            : new HandoverLook(false, 0, Reason(in facts, left));
    }

    /// <summary>The state once the handover is over.</summary>
    /// <param name="committed">How far the group has come; the next owner begins there, or where it is to skip to.</param>
    public QueueOwnership Complete(long committed) => Of(Next, Math.Max(0, Math.Max(committed, SkipTo)));

    private string Reason(in QueueFacts facts, long left) =>
        facts.OwnerClients == 0 ? $"no {Name(Owner)} client is connected: {left} messages before offset {Boundary} wait for one"
        : left == 0 ? $"{facts.Unacked} popped messages before offset {Boundary} are not acknowledged"
        : $"the {Name(Owner)} side has {left} messages before offset {Boundary} to consume";

    private static string Name(Side? side) => side == Side.Gray ? "gray" : "normal";
}

/// <summary>How a handover begins.</summary>
/// <param name="Boundary">Of the queue, taken together with what changes the owner.</param>
/// <param name="SkipTo">As <see cref="QueueOwnership.SkipTo"/>.</param>
/// <param name="Forced">The release's <see cref="GrayRelease.Forced"/>.</param>
public readonly record struct HandoverTerms(long Boundary, long NowMs, long DeadlineMs, long SkipTo, long Forced);

/// <summary>What is known of a queue that is handed over.</summary>
/// <param name="Committed">Offset that the group has committed; -1 for none.</param>
/// <param name="Min">The queue's first offset of which the message is there still.</param>
/// <param name="Unacked">Messages before the boundary that were popped and are neither acknowledged nor given back.</param>
/// <param name="OwnerSubscribes">Whether the side that gives it up has, or had until recently, a client that subscribes.</param>
/// <param name="OwnerClients">Connected clients of that side that subscribe.</param>
/// <param name="Forced">The release's <see cref="GrayRelease.Forced"/>.</param>
public readonly record struct QueueFacts(
    long Committed, long Min, int Unacked, bool OwnerSubscribes, int OwnerClients, long Forced, long NowMs);

/// <summary>How far a handover has come.</summary>
/// <param name="IsOver">The next owner may have the queue.</param>
/// <param name="GivenUp">Messages that the owner was to consume and did not, because someone forced it.</param>
/// <param name="Reason">Why it is not over, for people.</param>
public readonly record struct HandoverLook(bool IsOver, long GivenUp, string? Reason);
