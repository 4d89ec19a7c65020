using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>Where a message was stored.</summary>
public sealed record SendResult
{
    /// <summary>How surely it was stored.</summary>
    public required SendStatus Status { get; init; }

    /// <summary>The id under which consumers see the message; those of a batch's messages are separated by commas.</summary>
    public required string MessageId { get; init; }

    /// <summary>
    /// The id that tells where the message is stored: address of the broker and position in its commit log, in hex; those of
    /// a batch's messages are separated by commas.
    /// </summary>
    public required string OffsetMessageId { get; init; }

    /// <summary>The queue that the message is in.</summary>
    public required MessageQueue Queue { get; init; }

    /// <summary>Its position in the queue, counted in messages; that of the first message of a batch.</summary>
    public required long QueueOffset { get; init; }

    /// <summary>
    /// What a delayed message can be taken back by, as long as it has not been delivered: see <see cref="IProducer.RecallAsync"/>. Null
    /// for other messages, and where the broker does not offer it.
    /// </summary>
    public string? RecallHandle { get; init; }

    internal string? TransactionId { get; init; }
}
