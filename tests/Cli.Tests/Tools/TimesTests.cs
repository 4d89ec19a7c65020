using GrayMQ.Cli.Tools;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class TimesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("1700000000000", "2023-11-14T22:13:20Z")]
    [InlineData("15m", "2026-11-21T11:45:00Z")]
    [InlineData("2d", "2026-11-19T12:00:00Z")]
    [InlineData("30s", "2026-11-21T11:59:30Z")]
    [InlineData("1h", "2026-11-21T11:00:00Z")]
    [InlineData("2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z")]
    [InlineData("2026-11-21T09:30:00", "2026-11-21T07:30:00Z")]
    [InlineData("2026-11-21 09:30", "2026-11-21T07:30:00Z")]
    [InlineData("2026-11-21T09:30:00+05:00", "2026-11-21T04:30:00Z")]
    public void Parse_EachForm_IsThatTime(string text, string expected)
    {
        long timestampMs = Times.Parse("--begin", text, new FixedTime());

        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), DateTimeOffset.FromUnixTimeMilliseconds(timestampMs));
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("yesterday")]
    [InlineData("99999999999m")]
    public void Parse_NoTime_NamesTheOption(string text)
    {
        CommandFailure failure = Assert.Throws<CommandFailure>(() => Times.Parse("--begin", text, new FixedTime()));

        Assert.Equal(ExitCode.Usage, failure.ExitCode);
        Assert.StartsWith($"--begin: {text}: expected ", failure.Message, StringComparison.Ordinal);
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.CreateCustomTimeZone("two", TimeSpan.FromHours(2), "two", "two");

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
