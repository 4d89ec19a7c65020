namespace GrayMQ.Gray;

/// <summary>Of which clients of a group a release is. Names are in JSON.</summary>
public enum GrayReleaseKind
{
    Consumer = 0,
    Producer = 1,
}

/// <summary>Where a release stands. Names are in JSON.</summary>
public enum GrayReleaseState
{
    Open = 0,

    /// <summary>The gray side is becoming the only one; queues are being drained.</summary>
    Promoting = 1,

    /// <summary>Closed: all clients are normal.</summary>
    Promoted = 2,

    /// <summary>The gray side is being retired.</summary>
    Withdrawing = 3,

    /// <summary>Closed: all clients are normal.</summary>
    Withdrawn = 4,
}

/// <summary>How a release is promoted. Names are in JSON.</summary>
public enum GrayPromotion
{
    /// <summary>Both sides subscribe alike: the gray side drains its queues, then all are one.</summary>
    Join = 0,

    /// <summary>They do not: the normal side drains, too, and is retired; the promoted side takes everything.</summary>
    Replace = 1,
}

/// <summary>What becomes of the gray messages that a withdrawn side leaves. Names are in JSON.</summary>
public enum GrayLeftover
{
    /// <summary>The normal side gets them.</summary>
    Normal = 0,

    /// <summary>Nobody gets them; they are counted.</summary>
    Skip = 1,
}

/// <summary>Who gets gray queues of a topic to which the gray side does not subscribe. Names are in JSON.</summary>
public enum GrayUnsubscribed
{
    /// <summary>The normal side.</summary>
    Normal = 0,

    /// <summary>Nobody, until the gray side subscribes or the release ends.</summary>
    Hold = 1,
}

/// <summary>The gray release of one consumer or producer group. At most one per group and kind is not closed.</summary>
public sealed record GrayRelease
{
    /// <summary><see cref="AbsenceMs"/> of a release whose queues wait for ever.</summary>
    public const long ForEver = -1;

    /// <summary>How long queues wait for a gray client when nobody says it.</summary>
    public const long DefaultAbsenceMs = 60_000;

    public required string Group { get; init; }

    public GrayReleaseKind Kind { get; init; }

    /// <summary>Counts the releases of the group, from 1.</summary>
    public required long Generation { get; init; }

    public required GrayReleaseState State { get; init; }

    /// <summary>How it is, or was, promoted; null while it is not.</summary>
    public GrayPromotion? Promotion { get; init; }

    /// <summary>What becomes of what is left when it is, or was, withdrawn; null while it is not.</summary>
    public GrayLeftover? Leftover { get; init; }

    public GrayUnsubscribed Unsubscribed { get; init; }

    /// <summary>How long the queues of the last gray client, gone without being drained, wait for another; or <see cref="ForEver"/>.</summary>
    public long AbsenceMs { get; init; } = DefaultAbsenceMs;

    /// <summary>
    /// Grows with every command to force: handovers that began under a lower number are ended where they are, and what is given up is
    /// counted.
    /// </summary>
    public long Forced { get; init; }

    /// <summary>Who is gray; of no importance in which order they stand.</summary>
    public IReadOnlyList<GrayRule> Rules { get; init; } = [];

    /// <summary>Sides of single clients by client id, which go before the rules.</summary>
    public IReadOnlyDictionary<string, Side> Clients { get; init; } = new Dictionary<string, Side>();

    /// <summary>When it was opened, ms since 1970.</summary>
    public long OpenedMs { get; init; }

    public string? OpenedBy { get; init; }

    /// <summary>When it came into this state, ms since 1970.</summary>
    public long ChangedMs { get; init; }

    public string? ChangedBy { get; init; }

    /// <summary>The version of the gray state with which it came into this state, or was forced.</summary>
    public long Since { get; init; }

    /// <summary>Whether there are two sides still.</summary>
    public bool IsOpen => State is GrayReleaseState.Open or GrayReleaseState.Promoting or GrayReleaseState.Withdrawing;

    /// <summary>Whether brokers owe it an end.</summary>
    public bool IsEnding => State is GrayReleaseState.Promoting or GrayReleaseState.Withdrawing;

    public bool Equals(GrayRelease? other) =>
        other is not null
        && Group == other.Group
        && Kind == other.Kind
        && Generation == other.Generation
        && State == other.State
        && Promotion == other.Promotion
        && Leftover == other.Leftover
        && Unsubscribed == other.Unsubscribed
        && AbsenceMs == other.AbsenceMs
        && Forced == other.Forced
        && OpenedMs == other.OpenedMs
        && OpenedBy == other.OpenedBy
        && ChangedMs == other.ChangedMs
        && ChangedBy == other.ChangedBy
        && Since == other.Since
        && Rules.SequenceEqual(other.Rules)
        && Clients.Count == other.Clients.Count
        && Clients.All(pair => other.Clients.TryGetValue(pair.Key, out Side side) && side == pair.Value);

    public override int GetHashCode() => HashCode.Combine(Group, Kind, Generation, State, Since);
}
