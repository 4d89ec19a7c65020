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
}
