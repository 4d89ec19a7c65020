using GrayMQ.Hosting.Logging;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting.Tests.Logging;

public sealed class LogTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Log_EntryFromAPeer_StaysOneLine()
    {
        string[] lines = await WriteAsync(LogLevel.Information, logger => Write(logger, LogLevel.Information, "evil\n2026-01-01 FATAL \u001b[31mred"));

        string line = Assert.Single(lines);
        Assert.Contains("INFO  Things  evil; 2026-01-01 FATAL \uFFFD[31mred", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_BelowTheLevel_IsNotWritten()
    {
        string[] lines = await WriteAsync(LogLevel.Warning, logger =>
        {
            Write(logger, LogLevel.Information, "not this");
            Write(logger, LogLevel.Warning, "this");
        });

        Assert.EndsWith("WARN  Things  this", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_Exception_IsToldInTheLineAndItsTraceWithErrorsOnly()
    {
        var failure = new InvalidOperationException("outer", new IOException("inner"));

        string warning = Assert.Single(await WriteAsync(LogLevel.Information, logger => Write(logger, LogLevel.Warning, "failed", Thrown(failure))));
        string[] error = await WriteAsync(LogLevel.Information, logger => Write(logger, LogLevel.Error, "failed", Thrown(failure)));

        Assert.EndsWith("failed: InvalidOperationException: outer: IOException: inner", warning, StringComparison.Ordinal);
        Assert.Contains(error, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Add_ReaderStalls_DropsAndSaysHowMany()
    {
        using var writer = new StallingWriter();
        await using (var lines = new LogLines(writer, TimeProvider.System))
        {
            lines.Add("first");
            await writer.Stalled.WaitAsync(Timeout);
            for (int i = 0; i < 5000; i++)
            {
                lines.Add("line");
            }

            writer.GoOn();
        }

        Assert.Contains("904 log lines were dropped", writer.Text, StringComparison.Ordinal);
        Assert.Equal(4096, writer.Text.Split('\n').Count(line => line == "line"));
    }

    private static void Write(ILogger logger, LogLevel level, string text, Exception? exception = null)
    {
        if (logger.IsEnabled(level))
        {
            logger.Log(level, default, text, exception, static (text, _) => text);
        }
    }

    private static InvalidOperationException Thrown(InvalidOperationException e)
    {
        try
        {
            throw e;
        }
        catch (InvalidOperationException thrown)
        {
            return thrown;
        }
    }

    private static async Task<string[]> WriteAsync(LogLevel level, Action<ILogger> log)
    {
        using var writer = new StringWriter();
        await using (var lines = new LogLines(writer, TimeProvider.System))
        {
            using LoggerFactory loggers = LineLoggerProvider.CreateFactory(lines, level, TimeProvider.System);
            log(loggers.CreateLogger("GrayMQ.Some.Things"));
        }

        return writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class StallingWriter : StringWriter
    {
        private readonly TaskCompletionSource _stalled = new();
        private readonly ManualResetEventSlim _goOn = new();

        public Task Stalled => _stalled.Task;

        public string Text => GetStringBuilder().ToString();

        public void GoOn() => _goOn.Set();

        public override void WriteLine(string? value)
        {
            _stalled.TrySetResult();
            _goOn.Wait(Timeout);
            base.WriteLine(value);
        }
    }
}
