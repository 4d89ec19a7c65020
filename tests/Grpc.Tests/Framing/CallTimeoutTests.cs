using GrayMQ.Grpc.Framing;

namespace GrayMQ.Grpc.Tests.Framing;

public sealed class CallTimeoutTests
{
    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("30S", 30_000)]
    [InlineData("1500m", 1500)]
    [InlineData("5000u", 5)]
    [InlineData("9000000n", 9)]
    [InlineData("0S", 0)]
    public void TryParse_OfEachUnit_TellsTheTime(string text, int milliseconds)
    {
        Assert.True(CallTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), timeout);
    }

    [Fact]
    public void TryParse_LongerThanTimersCan_IsCut()
    {
        Assert.True(CallTimeout.TryParse("99999999H", out TimeSpan timeout));
        Assert.Equal(TimeSpan.FromDays(24), timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("١S")]
    public void TryParse_OfSomethingElse_Fails(string text) => Assert.False(CallTimeout.TryParse(text, out _));
}
