namespace GrayMQ.Broker.Gray;

/// <summary>How the broker follows the gray state.</summary>
internal sealed record GrayOptions
{
    public required string BrokerName { get; init; }

    /// <summary>Where clients reach this broker, for reports.</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>Name servers that are asked; none leaves the broker with what it has on disk.</summary>
    public required IReadOnlyList<string> NameServers { get; init; }

    /// <summary>How often name servers are asked when they say nothing.</summary>
    public required TimeSpan AskInterval { get; init; }

    /// <summary>How often progress is told while a release is open.</summary>
    public required TimeSpan ReportInterval { get; init; }

    /// <summary>How long a withdrawn side has for the messages that it was given.</summary>
    public required TimeSpan WithdrawWait { get; init; }

    /// <summary>
    /// How long clients may need after a start of this broker, or after a lost connection, until it knows them again: a stock client that reconnects says who it is by its
    /// next heartbeat, which is every 30 s. What it has consumed counts only then.
    /// </summary>
    public required TimeSpan ReturnWait { get; init; }

    /// <summary>The longest that a message may wait before it is stored in its topic: delayed, half, or failed.</summary>
    public required TimeSpan KeepSkips { get; init; }

    /// <summary>How often it is looked whether a queue can change hands.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A client that an ended release is kept for, and that is not connected for so long, is taken to be gone.</summary>
    public TimeSpan EndedAbsence { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// For so long after its end clients that were there are told where queues have come to that they hold by offsets of before. It is the
    /// first pull that tells, so this is for consumers that were suspended.
    /// </summary>
    public TimeSpan KeepEnded { get; init; } = TimeSpan.FromHours(24);
}
