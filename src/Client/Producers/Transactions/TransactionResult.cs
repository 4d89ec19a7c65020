namespace GrayMQ.Client.Producers.Transactions;

/// <summary>How a send in a transaction ended.</summary>
public sealed record TransactionResult
{
    /// <summary>Where the message was stored, as long as it waits for the transaction's end; consumers see its id, and other offsets.</summary>
    public required SendResult Sent { get; init; }

    /// <summary>How the local transaction ended.</summary>
    public required TransactionOutcome Outcome { get; init; }

    /// <summary>
    /// Whether the broker has been told, and has carried it out. If not, it will ask the group's producers, and the outcome holds all the
    /// same once one of them repeats it.
    /// </summary>
    public required bool IsConcluded { get; init; }
}
