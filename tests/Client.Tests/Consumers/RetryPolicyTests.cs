using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Dispatch;

namespace GrayMQ.Client.Tests.Consumers;

public class RetryPolicyTests
{
    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 30)]
    [InlineData(16, 7200)]
    [InlineData(100, 7200)]
    public void DelayAfter_Default_IsThatOfRocketMQ(int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryPolicy.Default.DelayAfter(failures));

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 300)]
    [InlineData(3, 900)]
    [InlineData(4, 1000)]
    [InlineData(50, 1000)]
    public void DelayAfter_Exponential_GrowsToTheLongest(int failures, int ms) => Assert.Equal(
        TimeSpan.FromMilliseconds(ms),
        RetryPolicy.Exponential(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), factor: 3).DelayAfter(failures));

    [Fact]
    public void DelayAfter_Fixed_TakesOneByOneAndStaysAtTheLast()
    {
        RetryPolicy policy = RetryPolicy.Fixed(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

        Assert.Equal([1, 5, 5], Enumerable.Range(1, 3).Select(failures => policy.DelayAfter(failures).TotalSeconds));
    }

    [Fact]
    public void Policies_OfImpossibleDelays_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => RetryPolicy.Fixed());
        Assert.Throws<ArgumentException>(() => RetryPolicy.Fixed(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => RetryPolicy.Exponential(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => RetryPolicy.Exponential(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => RetryPolicy.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), factor: 1));
    }

    [Theory]
    [InlineData(0.5, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(60, 5)]
    [InlineData(7200, 18)]
    [InlineData(100_000, 18)]
    public void DelayLevels_OfADelay_AreTheNextThatIsLongEnough(double seconds, int level) =>
        Assert.Equal(level, DelayLevels.AtLeast(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void DelayLevels_OfAResult_GoByTheResultThenThePolicyThenTheBroker()
    {
        RetryPolicy policy = RetryPolicy.Fixed(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));

        Assert.Equal(-1, DelayLevels.For(ConsumeResult.DeadLetter, policy, 1));
        Assert.Equal(2, DelayLevels.For(ConsumeResult.RetryAfter(TimeSpan.FromSeconds(5)), policy, 1));
        Assert.Equal(4, DelayLevels.For(ConsumeResult.RetryLater, policy, 2));
        Assert.Equal(0, DelayLevels.For(ConsumeResult.RetryLater, null, 2));
    }

    [Fact]
    public void ConsumeResult_Default_IsSuccess()
    {
        Assert.Equal(ConsumeResult.Success, default);
        Assert.True(default(ConsumeResult).IsSuccess);
        Assert.NotEqual(ConsumeResult.RetryLater, ConsumeResult.RetryAfter(TimeSpan.FromSeconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConsumeResult.RetryAfter(TimeSpan.Zero));
    }
}
