using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Makes one kind of handler of all: batches, handled by a function.</summary>
internal sealed class DelegateHandler(
    Func<IReadOnlyList<ReceivedMessage>, CancellationToken, ValueTask<ConsumeResult>> handle) : IBatchMessageHandler
{
    /// <summary>Hands out the messages of a batch one behind the other; the first that fails fails the batch.</summary>
    public static DelegateHandler OneByOne(Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handle) =>
        new(async (messages, cancel) =>
        {
            foreach (ReceivedMessage message in messages)
            {
                ConsumeResult result = await handle(message, cancel).ConfigureAwait(false);
                if (!result.IsSuccess)
                {
                    return result;
                }
            }

            return ConsumeResult.Success;
        });

    public ValueTask<ConsumeResult> HandleAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel) =>
        handle(messages, cancel);
}
