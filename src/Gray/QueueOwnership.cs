using System.Text.Json.Serialization;

namespace GrayMQ.Gray;

/// <summary>
/// Who consumes one queue for one group, and how it is being handed to another. A queue changes hands exactly at an offset, and only once
/// the side that gives it up has consumed everything before that offset. While that lasts it may have to change hands again: then what was
/// stored in between belongs to who was next, and the next handover waits behind the first.
/// <code>
///  Start            boundary 1        boundary 2
///    │ owner           │ next            │ next after that
///    └─────────────────┴─────────────────┴──────────────►
/// </code>
/// Immutable; every method returns the state after. What the log and the group say comes from outside.
/// </summary>
public sealed record QueueOwnership
{
    /// <summary>Where no offset is meant.</summary>
    public const long None = -1;

    /// <summary>
    /// Handovers that may wait behind each other. It takes as many switches of a topic, each forced before the one before had ended, to come
    /// here; then what is stored between two of them is given to who comes last.
    /// </summary>
    public const int MaxHandovers = 16;

    /// <summary>Who consumes the queue; null for nobody.</summary>
    public Side? Owner { get; init; }

    /// <summary>
    /// Where the owner began: offsets below were another's to consume, and who comes with such an offset holds one of before.
    /// </summary>
    public long Start { get; init; }

    /// <summary>Whether it was a gray queue of its topic when the owner's messages were stored.</summary>
    public bool IsGrayQueue { get; init; }

    /// <summary>To whom it is being handed over, in the order of their boundaries; mostly nobody.</summary>
    public IReadOnlyList<Handover> Handovers { get; init; } = [];

    /// <summary>Whether it is being handed over.</summary>
    [JsonIgnore]
    public bool IsHandedOver => Handovers.Count > 0;

    /// <summary>Who gets it, null for nobody; of no meaning unless it is handed over.</summary>
    [JsonIgnore]
    public Side? Next => IsHandedOver ? Handovers[0].Next : null;

    /// <summary>Where it changes hands; <see cref="None"/> unless it is handed over. The owner gets nothing at or above it.</summary>
    [JsonIgnore]
    public long Boundary => IsHandedOver ? Handovers[0].Boundary : None;

    /// <summary>Who has it when all is handed over.</summary>
    [JsonIgnore]
    public Side? Last => IsHandedOver ? Handovers[^1].Next : Owner;

    /// <summary>Whether what is stored now is stored in a gray queue, as far as was told by <see cref="Retarget"/>.</summary>
    [JsonIgnore]
    public bool IsLastGrayQueue => IsHandedOver ? Handovers[^1].IsGrayQueue : IsGrayQueue;

    /// <summary>Whether the gray side has, or is to get, something of the queue that <see cref="Withdraw"/> would take from it.</summary>
    [JsonIgnore]
    public bool IsToWithdraw =>
        (Owner == Side.Gray && !(IsHandedOver && Handovers[0].DeadlineMs > 0)) || Handovers.Any(each => each.Next == Side.Gray);

    /// <summary>Below which queue offset the owner may be given messages.</summary>
    [JsonIgnore]
    public long Cap => IsHandedOver ? Handovers[0].Boundary : long.MaxValue;

    /// <summary>A queue that someone owns from an offset on.</summary>
    public static QueueOwnership Of(Side? owner, long start, bool isGrayQueue = false) =>
        new() { Owner = owner, Start = start, IsGrayQueue = isGrayQueue };

    /// <summary>Whether a side may be given the message at an offset.</summary>
    public bool Allows(Side side, long offset) => Owner == side && offset < Cap;

    /// <summary>The state once the queue is to belong to <paramref name="target"/>; this one where nothing changes.</summary>
    public QueueOwnership Retarget(Side? target, in HandoverTerms terms)
    {
        if (target == Last)
        {
            return WithLastGrayQueue(terms.IsGrayQueue);
        }

        var next = new Handover(target, terms.End, terms.NowMs, terms.Forced) { IsGrayQueue = terms.IsGrayQueue };
        if (!IsHandedOver)
        {
            return Owner is null ? Of(target, Start, terms.IsGrayQueue) : this with { Handovers = [next] };
        }

        // Whoever was to get it gets what was stored for him meanwhile. If nothing was, or if all of it was stored by the same mapping and
        // nobody has seen any, he is passed over: who kept the queue keeps it.
        Handover last = Handovers[^1];
        bool isOthers = terms.KeepsWhatWasPromised || terms.IsGrayQueue != last.IsGrayQueue;
        return isOthers && terms.End > last.Boundary && Handovers.Count < MaxHandovers
            ? this with { Handovers = [.. Handovers, next] }
            : Joined([.. Handovers.SkipLast(1), last with { Next = target, IsGrayQueue = terms.IsGrayQueue }]);
    }

    /// <summary>
    /// The state once the gray side is to have no part in the queue any more: it is capped at what it was given, and what it leaves is the
    /// target's, or skipped.
    /// </summary>
    /// <param name="skips">What the gray side leaves in gray queues is for nobody.</param>
    /// <param name="held">What nobody owns in gray queues is kept for the gray side.</param>
    public QueueOwnership Withdraw(Side? target, in HandoverTerms terms, long given, long deadlineMs, bool skips, bool held)
    {
        var handovers = new List<Handover>();
        long end = EndOf(0, terms.End);
        if (Owner == Side.Gray && !(IsHandedOver && Handovers[0].DeadlineMs > 0))
        {
            // What it was given it may finish, until the deadline.
            handovers.Add(new Handover(target, Math.Clamp(given, 0, end), terms.NowMs, terms.Forced)
            {
                DeadlineMs = deadlineMs,
                SkipTo = skips && IsGrayQueue ? end : None,
            });
        }
        else if (Owner is null && skips && held && IsGrayQueue)
        {
            handovers.Add(new Handover(target, end, terms.NowMs, terms.Forced) { SkipTo = end });
        }

        for (int i = 0; i < Handovers.Count; i++)
        {
            Handover of = Handovers[i];
            bool isLeft = of.Next == Side.Gray || (of.Next is null && held);
            bool isSkipped = skips && isLeft && of.IsGrayQueue;
            handovers.Add(of with
            {
                Next = of.Next == Side.Normal && i < Handovers.Count - 1 ? of.Next : target,
                SkipTo = isSkipped ? EndOf(i + 1, terms.End) : of.SkipTo,
            });
        }

        return handovers.Count == 0
            ? Retarget(target, in terms)
            : Joined(handovers).WithLastGrayQueue(terms.IsGrayQueue);
    }

    /// <summary>How far the handover has come.</summary>
    public HandoverLook Look(in QueueFacts facts)
    {
        if (!IsHandedOver)
        {
            return default;
        }

        Handover now = Handovers[0];
        long left = Math.Max(0, now.Boundary - Math.Max(facts.Committed, facts.Min));
        return Owner is null || facts.Min >= now.Boundary ? new HandoverLook(true, 0, null)
            : left == 0 && facts.Unacked == 0 ? new HandoverLook(true, 0, null)
            : facts.Forced > now.ForcedBefore ? new HandoverLook(true, left + facts.Unacked, null)
            : !facts.OwnerSubscribes ? new HandoverLook(true, 0, null)
            : now.DeadlineMs > 0 && facts.NowMs >= now.DeadlineMs ? new HandoverLook(true, 0, null)
            : new HandoverLook(false, 0, Reason(in facts, left));
    }

    /// <summary>The state once the first handover is over.</summary>
    /// <param name="committed">How far the group has come; the next owner begins there, or where it is to skip to.</param>
    public QueueOwnership Complete(long committed)
    {
        Handover now = Handovers[0];
        return Of(now.Next, Math.Max(0, Math.Max(committed, now.SkipTo)), now.IsGrayQueue) with { Handovers = [.. Handovers.Skip(1)] };
    }

    /// <summary>The state where the queue ends earlier than it did when this was written: its last messages were lost.</summary>
    public QueueOwnership ClampTo(long end) => Start <= end && Handovers.All(each => each.Boundary <= end && each.SkipTo <= end)
        ? this
        : this with
        {
            Start = Math.Min(Start, end),
            Handovers =
            [
                .. Handovers.Select(each => each with { Boundary = Math.Min(each.Boundary, end), SkipTo = Math.Min(each.SkipTo, end) }),
            ],
        };

    /// <summary>The state where a handover that ends at a time, whether its boundary is reached or not, ends no earlier than this.</summary>
    public QueueOwnership WithDeadline(long deadlineMs) => Handovers.All(each => each.DeadlineMs == 0 || each.DeadlineMs >= deadlineMs)
        ? this
        : this with
        {
            Handovers = [.. Handovers.Select(each => each.DeadlineMs == 0 ? each : each with { DeadlineMs = Math.Max(each.DeadlineMs, deadlineMs) })],
        };

    public bool Equals(QueueOwnership? other) =>
        other is not null
        && Owner == other.Owner
        && Start == other.Start
        && IsGrayQueue == other.IsGrayQueue
        && Handovers.SequenceEqual(other.Handovers);

    public override int GetHashCode() => HashCode.Combine(Owner, Start, Handovers.Count);

    private static string Name(Side? side) => side == Side.Gray ? "gray" : "normal";

    // Where what an owner was to get ends: of the present one (0), or of one that waits.
    private long EndOf(int owner, long end) => owner < Handovers.Count ? Handovers[owner].Boundary : end;

    private QueueOwnership WithLastGrayQueue(bool isGrayQueue) =>
        isGrayQueue == IsLastGrayQueue ? this
        : IsHandedOver ? this with { Handovers = [.. Handovers.SkipLast(1), Handovers[^1] with { IsGrayQueue = isGrayQueue }] }
        : this with { IsGrayQueue = isGrayQueue };

    // A handover to who has the queue already is none, unless something is skipped on the way.
    private QueueOwnership Joined(List<Handover> handovers)
    {
        bool isOwnerGrayQueue = IsGrayQueue;
        var joined = new List<Handover>();
        foreach (Handover each in handovers)
        {
            Side? before = joined.Count > 0 ? joined[^1].Next : Owner;
            if (each.Next != before || each.SkipTo != None)
            {
                joined.Add(each);
            }
            else if (joined.Count > 0)
            {
                joined[^1] = joined[^1] with { IsGrayQueue = each.IsGrayQueue };
            }
            else
            {
                isOwnerGrayQueue = each.IsGrayQueue;
            }
        }

        return this with { IsGrayQueue = isOwnerGrayQueue, Handovers = joined };
    }

    private string Reason(in QueueFacts facts, long left) =>
        facts.OwnerClients == 0
            ? $"no {Name(Owner)} client is connected: {Messages(left)} before offset {Boundary} {(left == 1 ? "waits" : "wait")} for one"
        : left == 0 ? $"{Messages(facts.Unacked, "popped ")} before offset {Boundary} {(facts.Unacked == 1 ? "is" : "are")} not acknowledged"
        : $"the {Name(Owner)} side has {Messages(left)} before offset {Boundary} to consume";

    private static string Messages(long count, string which = "") => count == 1 ? $"1 {which}message" : $"{count} {which}messages";
}

/// <summary>One change of hands that has begun and is not over.</summary>
/// <param name="Next">Who gets the queue; null for nobody.</param>
/// <param name="Boundary">Where it changes hands.</param>
/// <param name="SinceMs">When the handover began, ms since 1970.</param>
/// <param name="ForcedBefore">The <see cref="GrayRelease.Forced"/> under which it began: a higher one ends it.</param>
public readonly record struct Handover(Side? Next, long Boundary, long SinceMs, long ForcedBefore)
{
    /// <summary>When it ends whether the boundary is reached or not, ms since 1970; 0 for never.</summary>
    public long DeadlineMs { get; init; }

    /// <summary>Where who gets it begins at least, because what lies before is to be skipped; <see cref="QueueOwnership.None"/> for nothing.</summary>
    public long SkipTo { get; init; } = QueueOwnership.None;

    /// <summary>Whether what lies behind the boundary was stored while this was a gray queue.</summary>
    public bool IsGrayQueue { get; init; }
}

/// <summary>How a handover begins.</summary>
/// <param name="End">Of the queue, taken together with what changes the owner.</param>
/// <param name="Forced">The release's <see cref="GrayRelease.Forced"/>.</param>
/// <param name="IsGrayQueue">Whether what is stored from now on is stored in a gray queue.</param>
/// <param name="KeepsWhatWasPromised">Who was to get the queue is not passed over: he gets what was stored for him before this.</param>
public readonly record struct HandoverTerms(long End, long NowMs, long Forced, bool IsGrayQueue = false, bool KeepsWhatWasPromised = false);

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
