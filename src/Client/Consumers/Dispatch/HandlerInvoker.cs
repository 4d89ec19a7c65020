using System.Diagnostics;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Telemetry;
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
    IBatchMessageHandler handler, ConsumeStatistics statistics, string group, TimeProvider time, ILogger logger, GrayRole? gray = null)
{
    private readonly ProcessTelemetry _telemetry = new(group);

    /// <summary>How the handler ended; one that throws is to be called again later.</summary>
    public async ValueTask<ConsumeResult> InvokeAsync(
        MessageQueue queue, IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        ConsumeResult result = ConsumeResult.RetryLater;
        Exception? error = null;
        using Activity? span = _telemetry.Start(queue, messages);
        using IDisposable? scope = gray is { IsOn: true } ? GrayContext.Enter(messages.All(IsGray)) : null;
        try
        {
            result = await handler.HandleAsync(messages, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (cancel.IsCancellationRequested)
        {
            error = e;
            Log.HandlerCancelled(logger, messages.Count, queue, messages[0].QueueOffset);
        }
        catch (Exception e)
        {
            error = e;
            Log.HandlerFailed(logger, e, messages.Count, queue, messages[0].QueueOffset);
        }

        TimeSpan elapsed = time.GetElapsedTime(start);
        statistics.Consumed(queue.Topic, messages.Count, result.IsSuccess, elapsed);
        _telemetry.Record(span, messages, result.IsSuccess, error, elapsed);
        return result;
    }

    private static bool IsGray(ReceivedMessage message) => message.Properties.GetValueOrDefault(GrayMark.Property) == GrayMark.Value;
}
