using GrayMQ.Client.Gray;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>
/// Calls the application's handler, and bears whatever it does. While it works on gray messages only, what it sends is gray too, if the
/// client takes part in gray releases.
/// </summary>
internal sealed class HandlerInvoker(
    IBatchMessageHandler handler, ConsumeStatistics statistics, TimeProvider time, ILogger logger, GrayRole? gray = null)
{
    /// <summary>How the handler ended; one that throws is to be called again later.</summary>
    public async ValueTask<ConsumeResult> InvokeAsync(
        MessageQueue queue, IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        ConsumeResult result = ConsumeResult.RetryLater;
        using IDisposable? scope = gray is { IsOn: true } ? GrayContext.Enter(messages.All(IsGray)) : null;
        try
        {
            result = await handler.HandleAsync(messages, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Log.HandlerCancelled(logger, messages.Count, queue, messages[0].QueueOffset);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, messages.Count, queue, messages[0].QueueOffset);
        }

        statistics.Consumed(queue.Topic, messages.Count, result.IsSuccess, time.GetElapsedTime(start));
        return result;
    }

    private static bool IsGray(ReceivedMessage message) => message.Properties.GetValueOrDefault(GrayMark.Property) == GrayMark.Value;
}
