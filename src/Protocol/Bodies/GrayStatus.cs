namespace GrayMQ.Protocol.Bodies;

/// <summary>What a name server knows of the gray state and of how far brokers have come with it (this project's request 30105).</summary>
public sealed record GrayStatus
{
    /// <summary>Brokers that act on the gray state, by name.</summary>
    public List<GrayStatusOfBroker> Brokers { get; set => field = value ?? []; } = [];

    /// <summary>Changes that have begun and not ended.</summary>
    public List<GrayStatusOfChange> Changes { get; set => field = value ?? []; } = [];

    /// <summary>Why the database cannot be used now; null when it can.</summary>
    public string? DatabaseProblem { get; set; }

    public string Epoch { get; set => field = value ?? ""; } = "";

    public long Version { get; set; }

    /// <summary>What people should know: a route that shows another number of queues than the state, and the like.</summary>
    public List<string> Warnings { get; set => field = value ?? []; } = [];
}

/// <summary>A broker that acts on the gray state.</summary>
public sealed record GrayStatusOfBroker
{
    public string Name { get; set => field = value ?? ""; } = "";

    /// <summary>When this name server heard of it last, milliseconds since 1970; 0 for not since its start.</summary>
    public long ReportedAt { get; set; }

    /// <summary>The version that it acts on; -1 when that is not known.</summary>
    public long Version { get; set; }
}

/// <summary>A change that has begun and not ended.</summary>
public sealed record GrayStatusOfChange
{
    /// <summary>What has begun: PROMOTE, WITHDRAW, ENABLE_TOPIC, DISABLE_TOPIC.</summary>
    public GrayAction Action { get; set; }

    /// <summary>The brokers whose part is needed, by name.</summary>
    public List<GrayStatusOfPart> Parts { get; set => field = value ?? []; } = [];

    /// <summary>Milliseconds since 1970.</summary>
    public long StartedAt { get; set; }

    /// <summary>The topic or group.</summary>
    public string Subject { get; set => field = value ?? ""; } = "";

    /// <summary>The version with which it began.</summary>
    public long Version { get; set; }
}

/// <summary>One broker's part of a change.</summary>
public sealed record GrayStatusOfPart
{
    public string Broker { get; set => field = value ?? ""; } = "";

    public bool Done { get; set; }

    /// <summary>Why it is not done; null when it is.</summary>
    public string? Reason { get; set; }

    /// <summary>Messages still to be consumed below boundaries; -1 when that is not known.</summary>
    public long Remaining { get; set; }
}

/// <summary>Sides and owners at one broker (this project's request 30120).</summary>
public sealed record BrokerGrayStatus
{
    public string BrokerName { get; set => field = value ?? ""; } = "";

    /// <summary>The clients of groups that have a release.</summary>
    public List<GrayClientStatus> Clients { get; set => field = value ?? []; } = [];

    /// <summary>Of the snapshot that the broker acts on; empty when it has none.</summary>
    public string Epoch { get; set => field = value ?? ""; } = "";

    /// <summary>Messages that nobody is to consume, of releases that are open or ended not long ago; those without any are not named.</summary>
    public List<GrayGivenUpStatus> GivenUp { get; set => field = value ?? []; } = [];

    /// <summary>Whether the broker has the consumer group that was asked for, which asking does not make; null where none was.</summary>
    public bool? KnowsGroup { get; set; }

    /// <summary>The queues of groups that have a release.</summary>
    public List<GrayQueueStatus> Queues { get; set => field = value ?? []; } = [];

    /// <summary>What each side of those groups subscribes to: a promotion that joins them needs them alike.</summary>
    public List<GraySubscriptionStatus> Subscriptions { get; set => field = value ?? []; } = [];

    /// <summary>Of the snapshot that the broker acts on; -1 when it has none.</summary>
    public long Version { get; set; }
}

/// <summary>What was given up of one release: skipped, or forced over.</summary>
public sealed record GrayGivenUpStatus
{
    public long Count { get; set; }

    public long Generation { get; set; }

    public string Group { get; set => field = value ?? ""; } = "";
}

/// <summary>One topic that one side of a group subscribes to.</summary>
public sealed record GraySubscriptionStatus
{
    /// <summary>As the clients gave it.</summary>
    public string Expression { get; set => field = value ?? ""; } = "";

    /// <summary>TAG, SQL92, …</summary>
    public string ExpressionType { get; set => field = value ?? ""; } = "";

    public bool Gray { get; set; }

    public string Group { get; set => field = value ?? ""; } = "";

    public string Topic { get; set => field = value ?? ""; } = "";
}

/// <summary>A client and its side.</summary>
public sealed record GrayClientStatus
{
    public string Address { get; set => field = value ?? ""; } = "";

    /// <summary>What decided: <c>stored</c>, <c>rule …</c>, <c>heartbeat</c>, <c>default</c>; <c>draining</c>
    /// of the last gray ones that are set back, <c>retired</c> of those that a release has left without a side.</summary>
    public string Because { get; set => field = value ?? ""; } = "";

    public string ClientId { get; set => field = value ?? ""; } = "";

    public bool Gray { get; set; }

    public string Group { get; set => field = value ?? ""; } = "";

    public bool Producer { get; set; }
}

/// <summary>A queue of a group that has a release.</summary>
public sealed record GrayQueueStatus
{
    /// <summary>Where the queue changes hands; -1 when it does not.</summary>
    public long Boundary { get; set; } = -1;

    /// <summary>How far the owner has come; -1 when it has not begun.</summary>
    public long Consumed { get; set; } = -1;

    public string Group { get; set => field = value ?? ""; } = "";

    /// <summary>The offset that the next message gets.</summary>
    public long MaxOffset { get; set; }

    /// <summary>Who consumes now: <c>NORMAL</c>, <c>GRAY</c>, <c>NOBODY</c> or <c>HOLD</c>.</summary>
    public string Owner { get; set => field = value ?? ""; } = "";

    public int QueueId { get; set; }

    /// <summary>Why it does not move; null when it does, or has no need to.</summary>
    public string? Reason { get; set; }

    /// <summary>Who consumes from the boundary on; null when the queue does not change hands.</summary>
    public string? Taker { get; set; }

    public string Topic { get; set => field = value ?? ""; } = "";
}
