using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Protocol.Tests.Bodies;

/// <summary>Expected values from RocketMQ 5.3.3's CustomizedRetryPolicy and ExponentialRetryPolicy.</summary>
public class GroupRetryPolicyTests
{
    [Theory]
    [InlineData(-1, 10_000)]
    [InlineData(0, 10_000)]
    [InlineData(1, 30_000)]
    [InlineData(15, 7_200_000)]
    [InlineData(16, 7_200_000)]
    [InlineData(int.MaxValue, 7_200_000)]
    public void Customized_Default_BeginsAtTheThirdLevel(int times, long expectedMs) =>
        Assert.Equal(expectedMs, new SubscriptionGroupConfig().NextRetryDelay(times).TotalMilliseconds);

    [Theory]
    [InlineData(new long[] { 1, 2 }, 0, 2)]
    [InlineData(new long[] { 1, 2, 3, 4 }, 0, 3)]
    [InlineData(new long[] { 1, 2, 3, 4 }, 1, 4)]
    [InlineData(new long[] { 1, 2, 3, 4 }, 9, 4)]
    [InlineData(new long[] { }, 9, 0)]
    [InlineData(new long[] { -5 }, 0, 0)]
    public void Customized_OwnList_IsTakenFromTheThirdOn(long[] next, int times, long expectedMs)
    {
        var policy = new GroupRetryPolicy { CustomizedRetryPolicy = new CustomizedRetryPolicy { Next = [.. next] } };
        Assert.Equal(expectedMs, policy.NextDelay(times).TotalMilliseconds);
    }

    [Theory]
    [InlineData(-3, 5_000)]
    [InlineData(0, 5_000)]
    [InlineData(3, 40_000)]
    [InlineData(10, 5_120_000)]
    [InlineData(11, 7_200_000)]
    [InlineData(int.MaxValue, 7_200_000)]
    public void Exponential_Default_DoublesUpToTheLimit(int times, long expectedMs)
    {
        var policy = new GroupRetryPolicy
        {
            Type = GroupRetryPolicyType.Exponential,
            ExponentialRetryPolicy = new ExponentialRetryPolicy(),
        };
        Assert.Equal(expectedMs, policy.NextDelay(times).TotalMilliseconds);
    }

    [Fact]
    public void Exponential_BeyondWhatANumberHolds_IsTheLimit()
    {
        var policy = new ExponentialRetryPolicy { Initial = long.MaxValue, Multiplier = long.MaxValue, Max = 60_000 };
        Assert.Equal(60_000, policy.NextDelay(32).TotalMilliseconds);
    }

    [Fact]
    public void Exponential_WithoutNumbers_IsTheCustomizedDefault() =>
        Assert.Equal(
            10_000, new GroupRetryPolicy { Type = GroupRetryPolicyType.Exponential }.NextDelay(0).TotalMilliseconds);
}
