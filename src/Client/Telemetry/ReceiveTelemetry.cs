using System.Diagnostics;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Telemetry;

/// <summary>Metrics of consumers that ask for messages themselves.</summary>
/// <param name="group">The consumer group.</param>
internal sealed class ReceiveTelemetry(string group, TimeProvider time)
{
    /// <summary>Whether anybody wants to know.</summary>
    public static bool IsOn => ClientTelemetry.OperationDuration.Enabled || ClientTelemetry.ConsumedMessages.Enabled;

    /// <summary>What was received, once it has been recorded.</summary>
    /// <param name="started">Timestamp from before it.</param>
    /// <param name="messageOf">The message within what is handed out.</param>
    public async Task<IReadOnlyList<T>> RecordAsync<T>(long started, Task<IReadOnlyList<T>> receiving, Func<T, ReceivedMessage> messageOf)
    {
        try
        {
            IReadOnlyList<T> received = await receiving.ConfigureAwait(false);
            foreach (IGrouping<string, ReceivedMessage> ofTopic in received.Select(messageOf).GroupBy(message => message.Topic))
            {
                ClientTelemetry.ConsumedMessages.Add(
                    ofTopic.Count(), TelemetryAttribute.Of(TelemetryAttribute.Receive, ofTopic.Key, group));
            }

            RecordDuration(started, received.Count > 0 ? messageOf(received[0]).Topic : null, error: null);
            return received;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            RecordDuration(started, topic: null, e);
            throw;
        }
    }

    private void RecordDuration(long started, string? topic, Exception? error)
    {
        TagList tags = TelemetryAttribute.Of(TelemetryAttribute.Receive, topic, group);
        if (error is not null)
        {
            tags.Add(TelemetryAttribute.ErrorType, TelemetryAttribute.ErrorOf(error));
        }

        ClientTelemetry.OperationDuration.Record(time.GetElapsedTime(started).TotalSeconds, tags);
    }
}
