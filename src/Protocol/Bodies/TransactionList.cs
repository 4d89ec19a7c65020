namespace GrayMQ.Protocol.Bodies;

/// <summary>The transactions of a broker that have not ended (request 30010, which RocketMQ does not have).</summary>
public sealed record TransactionList
{
    /// <summary>How many there are, listed or not.</summary>
    public long Total { get; set; }

    /// <summary>The oldest first.</summary>
    public List<PendingTransaction> Transactions { get; set => field = value ?? []; } = [];
}

/// <summary>One transaction that has not ended. Times in ms since 1970.</summary>
public sealed record PendingTransaction
{
    public long BornTimestamp { get; set; }

    /// <summary>How often producers have been asked.</summary>
    public int CheckTimes { get; set; }

    /// <summary>Application keys of the message.</summary>
    public string? Keys { get; set; }

    /// <summary>When they are asked next, or the message is discarded.</summary>
    public long NextCheckTimestamp { get; set; }

    /// <summary>Offset message id of the half message.</summary>
    public string OffsetMessageId { get; set => field = value ?? ""; } = "";

    /// <summary>Whose producers are asked.</summary>
    public string ProducerGroup { get; set => field = value ?? ""; } = "";

    public int QueueId { get; set; }

    public long StoreTimestamp { get; set; }

    /// <summary>What the message was sent to.</summary>
    public string Topic { get; set => field = value ?? ""; } = "";

    /// <summary>The unique key, which is the transaction's id as well.</summary>
    public string? TransactionId { get; set; }
}
