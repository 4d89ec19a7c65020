using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Admin;

/// <summary>What one pull brought. Offsets count messages of the queue.</summary>
public sealed record PulledMessages
{
    /// <summary>How it ended.</summary>
    public required PullStatus Status { get; init; }

    /// <summary>The messages; none unless <see cref="PullStatus.Found"/>.</summary>
    public IReadOnlyList<ReceivedMessage> Messages { get; init; } = [];

    /// <summary>Where to pull next.</summary>
    public required long NextOffset { get; init; }

    /// <summary>The queue's first offset.</summary>
    public required long MinOffset { get; init; }

    /// <summary>The offset that the queue's next message will get.</summary>
    public required long MaxOffset { get; init; }
}
