using System.Diagnostics;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;

namespace GrayMQ.Client.Telemetry;

/// <summary>Spans and metrics of sends. A span begins before the message is put into bytes, because it travels with it.</summary>
internal sealed class SendTelemetry(TimeProvider time)
{
    /// <summary>Whether anybody wants to know.</summary>
    public static bool IsOn => ClientTelemetry.Source.HasListeners()
        || ClientTelemetry.OperationDuration.Enabled
        || ClientTelemetry.SentMessages.Enabled;

    /// <summary>Begins the span of a send, to be ended by the caller; null when nobody wants it.</summary>
    public static Activity? Start(string topic) => ClientTelemetry.Source.HasListeners()
        ? ClientTelemetry.Source.StartActivity(
            ActivityKind.Producer, tags: TelemetryAttribute.Of(TelemetryAttribute.Send, topic), name: $"send {topic}")
        : null;

    /// <summary>The result of a send, once it has been recorded.</summary>
    /// <param name="started">Timestamp from before it.</param>
    public async Task<SendResult> RecordAsync(long started, OutgoingMessage message, Task<SendResult> sending)
    {
        try
        {
            SendResult result = await sending.ConfigureAwait(false);
            if (Record(started, message, error: null) is { } span)
            {
                TelemetryAttribute.SetQueue(span, result.Queue);
            }

            return result;
        }
        catch (Exception e)
        {
            Record(started, message, e);
            throw;
        }
    }

    /// <inheritdoc cref="RecordAsync(long, OutgoingMessage, Task{SendResult})"/>
    public async Task RecordAsync(long started, OutgoingMessage message, Task sending)
    {
        try
        {
            await sending.ConfigureAwait(false);
            Record(started, message, error: null);
        }
        catch (Exception e)
        {
            Record(started, message, e);
            throw;
        }
    }

    private Activity? Record(long started, OutgoingMessage message, Exception? error)
    {
        TagList tags = TelemetryAttribute.Of(TelemetryAttribute.Send, message.Topic);
        Activity? span = TraceContext.OfSending is { Kind: ActivityKind.Producer } sending ? sending : null;
        span?.SetTag(TelemetryAttribute.MessageId, message.MessageId);
        if (message.IsBatch)
        {
            span?.SetTag(TelemetryAttribute.BatchCount, message.Count);
        }

        if (error is not null)
        {
            string type = TelemetryAttribute.ErrorOf(error is SendFailedException { InnerException: { } last } ? last : error);
            tags.Add(TelemetryAttribute.ErrorType, type);
            if (span is not null)
            {
                TelemetryAttribute.SetError(span, type, error.Message);
            }
        }

        ClientTelemetry.OperationDuration.Record(time.GetElapsedTime(started).TotalSeconds, tags);
        ClientTelemetry.SentMessages.Add(message.Count, tags);
        return span;
    }
}
