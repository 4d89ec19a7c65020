using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
    public static partial void SettingWarning(ILogger logger, string warning);
}
