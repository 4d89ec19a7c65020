using Microsoft.Extensions.Logging;

namespace GrayMQ.Client;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Name server {Address} does not answer: {Reason}")]
    public static partial void NameServerFailed(ILogger logger, string address, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The route of topic {Topic} could not be asked for: {Reason}")]
    public static partial void RouteRefreshFailed(ILogger logger, string topic, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The route of topic {Topic} stays as it was: {Reason}")]
    public static partial void RouteKept(ILogger logger, string topic, string reason);

    [LoggerMessage(4, LogLevel.Information, "Topic {Topic} has {Writable} queues to write and {Readable} to read")]
    public static partial void RouteChanged(ILogger logger, string topic, int writable, int readable);

    [LoggerMessage(5, LogLevel.Warning, "The heartbeat to {Address} failed: {Reason}")]
    public static partial void HeartbeatFailed(ILogger logger, string address, string reason);

    [LoggerMessage(6, LogLevel.Debug, "{Address} could not be told that this client leaves: {Reason}")]
    public static partial void UnregisterFailed(ILogger logger, string address, string reason);

    [LoggerMessage(20, LogLevel.Warning, "Attempt {Attempt} to send to {Queue} failed after {ElapsedMs} ms: {Reason}")]
    public static partial void SendAttemptFailed(
        ILogger logger, int attempt, GrayMQ.Protocol.Bodies.MessageQueue queue, long elapsedMs, string reason);
}
