using System.Net;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
    public static partial void SettingWarning(ILogger logger, string warning);

    [LoggerMessage(2, LogLevel.Information, "Stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(3, LogLevel.Debug, "The start failed")]
    public static partial void StartFailed(ILogger logger, Exception error);

    [LoggerMessage(20, LogLevel.Warning, "Nobody can take this server over: {Path} cannot be opened: {Reason}")]
    public static partial void OfferNotMade(ILogger logger, string path, string reason);

    [LoggerMessage(21, LogLevel.Warning, "{Path} cannot be removed: {Reason}")]
    public static partial void OfferNotWithdrawn(ILogger logger, string path, string reason);

    [LoggerMessage(22, LogLevel.Warning, "Not taken over: {Reason}")]
    public static partial void TakeOverFailed(ILogger logger, string reason);

    [LoggerMessage(23, LogLevel.Warning, "Not taken over by process {ProcessId}: it belongs to user {User}, who is neither this one's nor root")]
    public static partial void TakeOverRefused(ILogger logger, int processId, uint user);

    [LoggerMessage(24, LogLevel.Information, "Process {ProcessId} has the listening sockets and takes this one's place")]
    public static partial void TakenOver(ILogger logger, int processId);

    [LoggerMessage(30, LogLevel.Information, "Health checks and metrics are on http://{EndPoint}")]
    public static partial void HttpListening(ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(31, LogLevel.Error, "A page for HTTP failed")]
    public static partial void PageFailed(ILogger logger, Exception error);
}
