namespace GrayMQ.Client.Producers.Transactions;

/// <summary>How a local transaction ended.</summary>
public enum TransactionOutcome
{
    /// <summary>Not known yet: the broker asks again later, and rolls back after it has asked often enough.</summary>
    Unknown,

    /// <summary>The message is to be delivered.</summary>
    Commit,

    /// <summary>The message is not to be delivered.</summary>
    Rollback,
}
