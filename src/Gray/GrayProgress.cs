namespace GrayMQ.Gray;

/// <summary>What a broker tells name servers: on which state it acts, and how far it has come with every change that is under way.</summary>
public sealed record GrayProgress
{
    public required string Broker { get; init; }

    /// <summary>Where clients reach it; it may have moved.</summary>
    public string? Address { get; init; }

    /// <summary>The state that it acts on, and has on its disk.</summary>
    public required GrayVersion Version { get; init; }

    /// <summary>Of every release that is not closed.</summary>
    public IReadOnlyList<GrayReleaseProgress> Releases { get; init; } = [];

    /// <summary>Of every topic that is being switched on or off.</summary>
    public IReadOnlyList<GrayTopicProgress> Topics { get; init; } = [];

    /// <summary>Of every queue of a group with such a release, as far as there is room (<see cref="GrayLimits.MaxReportedQueues"/>).</summary>
    public IReadOnlyList<GrayQueueProgress> Queues { get; init; } = [];

    public bool Equals(GrayProgress? other) =>
        other is not null
        && Broker == other.Broker
        && Address == other.Address
        && Version == other.Version
        && Releases.SequenceEqual(other.Releases)
        && Topics.SequenceEqual(other.Topics)
        && Queues.SequenceEqual(other.Queues);

    public override int GetHashCode() => HashCode.Combine(Broker, Version);
}

/// <summary>How far one broker has come with a release.</summary>
public sealed record GrayReleaseProgress
{
    public required string Group { get; init; }

    public GrayReleaseKind Kind { get; init; }

    public required long Generation { get; init; }

    /// <summary>The state in which the broker has it.</summary>
    public required GrayReleaseState State { get; init; }

    /// <summary>As <see cref="GrayRelease.Since"/>: a command given twice is told apart.</summary>
    public long Since { get; init; }

    /// <summary>Whether all that this broker owes the state is done: in Promoting and Withdrawing, all its boundaries are reached.</summary>
    public bool IsDone { get; init; }

    /// <summary>
    /// Whether both sides are known here and subscribe to different topics or by different expressions: such a release cannot be promoted
    /// by <see cref="GrayPromotion.Join"/>, which a broker then does not begin.
    /// </summary>
    public bool SubscriptionsDiffer { get; init; }

    /// <summary>What keeps this broker from being done, where it is not for the queues to tell; null mostly.</summary>
    public string? Reason { get; init; }

    /// <summary>Messages that were given up: skipped, or forced over.</summary>
    public long GivenUp { get; init; }

    /// <summary>Clients of the gray side that are connected to this broker.</summary>
    public int GrayClients { get; init; }

    /// <summary>Clients of the normal side that are connected to this broker.</summary>
    public int NormalClients { get; init; }
}

/// <summary>How far one broker has come with a topic that is being switched on or off.</summary>
public sealed record GrayTopicProgress
{
    public required string Topic { get; init; }

    /// <summary>As <see cref="GrayTopic.Since"/>: a command given twice is told apart.</summary>
    public long Since { get; init; }

    /// <summary>
    /// Whether the topic can go on here: it has the queues, and none of them is being handed over with messages of when it was gray.
    /// </summary>
    public bool IsDone { get; init; }

    /// <summary>Why not; null when it can.</summary>
    public string? Reason { get; init; }
}

/// <summary>Who owns one queue for one group, and to whom it is being handed.</summary>
public sealed record GrayQueueProgress
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    public required int Queue { get; init; }

    /// <summary>Who consumes it now; null for nobody.</summary>
    public Side? Owner { get; init; }

    /// <summary>Whether it is being handed over, to <see cref="Next"/>.</summary>
    public bool IsHandedOver { get; init; }

    /// <summary>Who gets it, null for nobody; of no meaning when it is not handed over.</summary>
    public Side? Next { get; init; }

    /// <summary>Queue offset at which it changes hands; -1 when it is not handed over.</summary>
    public long Boundary { get; init; } = -1;

    /// <summary>Whether any of what is handed over was stored while this was a gray queue.</summary>
    public bool WasGrayQueue { get; init; }

    /// <summary>Queue offset up to which the owner has consumed; -1 when nothing is known.</summary>
    public long Consumed { get; init; } = -1;

    /// <summary>The queue's end.</summary>
    public long Max { get; init; }

    /// <summary>When the handover began, ms since 1970.</summary>
    public long SinceMs { get; init; }

    /// <summary>Why it does not move; null when it does, or nothing is to move.</summary>
    public string? Reason { get; init; }
}
