using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers;

/// <summary>Handles messages, one at a time per call; calls run side by side, up to the consumer's limit.</summary>
public interface IMessageHandler
{
    /// <summary>Handles a message. An exception counts as <see cref="ConsumeResult.RetryLater"/>.</summary>
    /// <param name="message">The message; <see cref="ReceivedMessage.ReconsumeTimes"/> tells how often it was tried before.</param>
    /// <param name="cancel">
    /// Cancelled when the consumer stops and the time that it leaves to handlers is over: what is not done then will be
    /// delivered again.
    /// </param>
    ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel);
}
