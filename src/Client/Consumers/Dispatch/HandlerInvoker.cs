using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Calls the application's handler, and bears whatever it does.</summary>
internal sealed class HandlerInvoker(
    IBatchMessageHandler handler, ConsumeStatistics statistics, TimeProvider time, ILogger logger)
{
    /// <summary>Whether the messages were handled.</summary>
    public async ValueTask<bool> InvokeAsync(
        MessageQueue queue, IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        bool success = false;
        try
        {
            success = await handler.HandleAsync(messages, cancel).ConfigureAwait(false) == ConsumeResult.Success;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Log.HandlerCancelled(logger, messages.Count, queue, messages[0].QueueOffset);
        }
        catch (Exception e)
        {
            Log.HandlerFailed(logger, e, messages.Count, queue, messages[0].QueueOffset);
        }

        statistics.Consumed(queue.Topic, messages.Count, success, time.GetElapsedTime(start));
        return success;
    }
}
