namespace GrayMQ.Protocol.Bodies;

/// <summary>
/// What a broker does for the conditions on properties by which groups subscribe to a topic (this project's request 30040). Counts are since
/// the broker's start, or since the first such subscription.
/// </summary>
public sealed record FilterStats
{
    /// <summary>Clauses of the index: what expressions came apart into.</summary>
    public int Clauses { get; set; }

    /// <summary>Residual conditions that were evaluated, because no table of the index has them.</summary>
    public long Evaluations { get; set; }

    /// <summary>Different expressions in the index.</summary>
    public int Expressions { get; set; }

    /// <summary>The property by whose values expressions are taken apart; null for the message type.</summary>
    public string? IndexedProperty { get; set; }

    /// <summary>Whether the broker indexes subscriptions at all (filterIndex).</summary>
    public bool IsIndexed { get; set; }

    /// <summary>Bytes of the answers that were kept beside queue entries.</summary>
    public long KeptBytes { get; set; }

    /// <summary>Tables of the index that were asked.</summary>
    public long LookUps { get; set; }

    /// <summary>Messages that had to be looked at when they were read, because no answer was kept for the expression.</summary>
    public long LookedAt { get; set; }

    /// <summary>Expressions that messages matched.</summary>
    public long Matches { get; set; }

    /// <summary>Messages that the index was asked about, once each.</summary>
    public long Messages { get; set; }

    /// <summary>Subscriptions that are evaluated by themselves for the moment: the index does not have them yet, or there is none.</summary>
    public int NotIndexed { get; set; }

    /// <summary>Answers that could not be kept.</summary>
    public long NotKept { get; set; }

    /// <summary>Groups that subscribe to the topic by a condition.</summary>
    public int Subscriptions { get; set; }
}
