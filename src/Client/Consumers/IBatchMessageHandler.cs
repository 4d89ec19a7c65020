using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers;

/// <summary>Handles several messages of one queue in one call, up to <see cref="PushConsumerOptions.ConsumeBatchSize"/>.</summary>
public interface IBatchMessageHandler
{
    /// <summary>Handles messages; the result holds for all of them. An exception counts as <see cref="ConsumeResult.RetryLater"/>.</summary>
    /// <param name="messages">At least one, in the order of their offsets.</param>
    /// <param name="cancel">See <see cref="IMessageHandler.HandleAsync"/>.</param>
    ValueTask<ConsumeResult> HandleAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel);
}
