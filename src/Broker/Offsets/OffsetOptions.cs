namespace GrayMQ.Broker.Offsets;

/// <summary>How consumer offsets are kept.</summary>
public sealed record OffsetOptions
{
    /// <summary>
    /// Queue ids are below this. An offset's place is found by its queue id, so that a made-up one must not cost memory.
    /// </summary>
    public const int MaxQueues = 65_536;

    /// <summary>
    /// How long an offset that a pull brought may be in memory only. What is written then survives the end of the process; an
    /// offset that someone was told is written before.
    /// </summary>
    public int WriteIntervalMs { get; init; } = 50;

    /// <summary>How often what was written is brought to the disk, to survive the end of the machine (RocketMQ: flushConsumerOffsetInterval).</summary>
    public int FlushConsumerOffsetInterval { get; init; } = 5_000;

    /// <summary>Commits after which the table's version grows (RocketMQ: consumerOffsetUpdateVersionStep).</summary>
    public int ConsumerOffsetUpdateVersionStep { get; init; } = 500;

    /// <summary>Whether a reset is kept here until the consumer pulls, instead of told to consumers that are online.</summary>
    public bool UseServerSideResetOffset { get; init; } = true;
}
