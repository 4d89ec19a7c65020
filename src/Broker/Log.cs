using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker;

/// <summary>Every line that this project logs. Numbers: 1 to 99 serving, 100 to 199 metadata, 200 to 299 clients.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Consumer {Client} joined group {Group}")]
    public static partial void ConsumerJoined(ILogger logger, object client, string group);

    [LoggerMessage(201, LogLevel.Information, "Consumer {Client} left group {Group}: {Reason}")]
    public static partial void ConsumerLeft(ILogger logger, object client, string group, string reason);

    [LoggerMessage(202, LogLevel.Information, "Group {Group} now subscribes to {Topics}")]
    public static partial void SubscriptionsChanged(ILogger logger, string group, string topics);

    [LoggerMessage(203, LogLevel.Warning, "Connection {Address} of group {Group} was {OldClientId} and now says that it is {NewClientId}")]
    public static partial void ClientIdChanged(ILogger logger, string address, string group, string oldClientId, string newClientId);

    [LoggerMessage(204, LogLevel.Information, "Producer {Client} joined group {Group}")]
    public static partial void ProducerJoined(ILogger logger, object client, string group);

    [LoggerMessage(205, LogLevel.Information, "Producer {Client} left group {Group}: {Reason}")]
    public static partial void ProducerLeft(ILogger logger, object client, string group, string reason);

    [LoggerMessage(206, LogLevel.Error, "Telling the clients of group {Group} that it has changed failed")]
    public static partial void NotifyFailed(ILogger logger, Exception error, string group);
}
