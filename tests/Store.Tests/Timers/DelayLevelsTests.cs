using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

public sealed class DelayLevelsTests
{
    [Theory]
    [InlineData(1, 1_000)]
    [InlineData(4, 30_000)]
    [InlineData(18, 7_200_000)]
    [InlineData(0, 1_000)]
    [InlineData(19, 1_000)]
    public void Default_IsRocketMqs(int level, long delayMs) =>
        Assert.Equal(delayMs, DelayLevels.Parse(DelayLevels.Default).DelayMs(level));

    [Theory]
    [InlineData("2d 3h", 172_800_000)]
    [InlineData("  7m", 420_000)]
    public void Parse_UnitsAndBlanks(string text, long firstMs) => Assert.Equal(firstMs, DelayLevels.Parse(text).DelayMs(1));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("1s 99999999999s")]
    public void TryParse_NoLevels_IsNull(string text) => Assert.Null(DelayLevels.TryParse(text));

    [Fact]
    public void TryParse_MoreThanThereCanBeQueues_IsNull()
    {
        Assert.NotNull(DelayLevels.TryParse(string.Join(' ', Enumerable.Repeat("1s", DelayLevels.MaxLevels))));
        Assert.Null(DelayLevels.TryParse(string.Join(' ', Enumerable.Repeat("1s", DelayLevels.MaxLevels + 1))));
    }
}
