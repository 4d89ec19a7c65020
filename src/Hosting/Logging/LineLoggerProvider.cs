using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting.Logging;

/// <summary>Writes log entries as lines. Made by hand rather than by a container, because a server's start waits for it.</summary>
internal sealed class LineLoggerProvider(LogLines lines, TimeProvider time) : ILoggerProvider
{
    /// <summary>Loggers of the servers' own categories from <paramref name="level"/> up, of the framework's from Warning up.</summary>
    public static LoggerFactory CreateFactory(LogLines lines, LogLevel level, TimeProvider time)
    {
        var filter = new LoggerFilterOptions { MinLevel = level };
        LogLevel ofFramework = level > LogLevel.Warning ? level : LogLevel.Warning;
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", ofFramework, null));
        return new LoggerFactory([new LineLoggerProvider(lines, time)], filter);
    }

    public ILogger CreateLogger(string categoryName) => new LineLogger(categoryName, lines, time);

    public void Dispose()
    {
        // The lines belong to whoever made them.
    }
}
