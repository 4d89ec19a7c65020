using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>A message that was received, and stays invisible to others for a while.</summary>
public sealed record PoppedMessage
{
    /// <summary>
    /// The message, under the topic that was subscribed to also where it comes again; <see cref="ReceivedMessage.ReconsumeTimes"/> tells
    /// how often it came before.
    /// </summary>
    public required ReceivedMessage Message { get; init; }

    /// <summary>What acknowledges it.</summary>
    public required ReceiptHandle Handle { get; init; }

    /// <summary>When it comes again unless it is acknowledged, by this machine's clock.</summary>
    public required DateTimeOffset InvisibleUntil { get; init; }
}
