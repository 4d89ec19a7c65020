using System.Diagnostics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Telemetry;

/// <summary>Spans and metrics of the application's handlers.</summary>
/// <param name="group">The consumer group.</param>
internal sealed class ProcessTelemetry(string group)
{
    // What a handler that was content to be called again later is said to have failed with.
    private const string RetryLater = "retry_later";

    /// <summary>
    /// Begins the span of a call, to be ended by the caller; null when nobody wants it. The span under which a message was sent is its parent;
    /// those of several messages are linked to it. Spans that go on around it are none of its parents.
    /// </summary>
    public Activity? Start(MessageQueue queue, IReadOnlyList<ReceivedMessage> messages)
    {
        // Loops run in the context in which the consumer was started: what the application did then is no part of this.
        Activity.Current = null;
        if (!ClientTelemetry.Source.HasListeners())
        {
            return null;
        }

        ActivityContext parent = default;
        List<ActivityLink>? links = null;
        if (messages.Count == 1)
        {
            _ = TraceContext.TryRead(messages[0], out parent);
        }
        else
        {
            links = [];
            foreach (ReceivedMessage message in messages)
            {
                if (TraceContext.TryRead(message, out ActivityContext sent))
                {
                    links.Add(new ActivityLink(sent));
                }
            }
        }

        string topic = messages[0].Topic;
        Activity? span = ClientTelemetry.Source.StartActivity(
            ActivityKind.Consumer, parent, TelemetryAttribute.Of(TelemetryAttribute.Process, topic, group), links, name: $"process {topic}");
        if (span is not null)
        {
            TelemetryAttribute.SetQueue(span, queue);
            if (messages.Count == 1)
            {
                span.SetTag(TelemetryAttribute.MessageId, messages[0].MessageId);
            }
            else
            {
                span.SetTag(TelemetryAttribute.BatchCount, messages.Count);
            }
        }

        return span;
    }

    /// <summary>A call has ended.</summary>
    /// <param name="error">What it threw, if it did.</param>
    public void Record(Activity? span, IReadOnlyList<ReceivedMessage> messages, bool isSuccess, Exception? error, TimeSpan elapsed)
    {
        if (span is null && !ClientTelemetry.ProcessDuration.Enabled && !ClientTelemetry.ConsumedMessages.Enabled)
        {
            return;
        }

        TagList tags = TelemetryAttribute.Of(TelemetryAttribute.Process, messages[0].Topic, group);
        ClientTelemetry.ConsumedMessages.Add(messages.Count, tags);
        if (!isSuccess)
        {
            string type = error is null ? RetryLater : TelemetryAttribute.ErrorOf(error);
            tags.Add(TelemetryAttribute.ErrorType, type);
            if (span is not null)
            {
                TelemetryAttribute.SetError(span, type, error?.Message);
            }
        }

        ClientTelemetry.ProcessDuration.Record(elapsed.TotalSeconds, tags);
    }
}
