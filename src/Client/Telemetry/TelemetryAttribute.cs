using System.Diagnostics;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Telemetry;

/// <summary>Names and values of OpenTelemetry's conventions for messaging.</summary>
internal static class TelemetryAttribute
{
    public const string Destination = "messaging.destination.name";
    public const string MessageId = "messaging.message.id";
    public const string BatchCount = "messaging.batch.message_count";
    public const string ErrorType = "error.type";
    public const string Send = "send";
    public const string Receive = "receive";
    public const string Process = "process";
    private const string Group = "messaging.consumer.group.name";
    private const string Partition = "messaging.destination.partition.id";

    /// <summary>What a metric or span of one operation says in any case.</summary>
    /// <param name="topic">Null where none is known: nothing was received.</param>
    /// <param name="group">Of consumers; null for producers.</param>
    public static TagList Of(string operation, string? topic, string? group = null)
    {
        var tags = new TagList
        {
            { "messaging.system", "rocketmq" },
            { "messaging.operation.name", operation },
            { "messaging.operation.type", operation },
        };
        if (topic is not null)
        {
            tags.Add(Destination, topic);
        }

        if (group is not null)
        {
            tags.Add(Group, group);
        }

        return tags;
    }

    /// <summary>Says in which queue a span's messages are: <c>broker-a:3</c>.</summary>
    public static void SetQueue(Activity span, MessageQueue queue) => span.SetTag(Partition, $"{queue.BrokerName}:{queue.QueueId}");

    /// <summary>What went wrong, in one of few words: a broker's code, or the name of an exception.</summary>
    public static string ErrorOf(Exception error) => error is BrokerException refused ? refused.Code.ToString() : error.GetType().FullName!;

    /// <summary>Says that what a span is about failed.</summary>
    public static void SetError(Activity span, string type, string? description)
    {
        span.SetTag(ErrorType, type);
        span.SetStatus(ActivityStatusCode.Error, description);
    }
}
