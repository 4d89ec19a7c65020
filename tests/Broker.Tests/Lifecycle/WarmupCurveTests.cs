namespace GrayMQ.Broker.Lifecycle;

public class WarmupCurveTests
{
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(1, 50, 0.5)]
    [InlineData(1, 99, 0.99)]
    [InlineData(1, 100, 1)]
    [InlineData(1, 1000, 1)]
    [InlineData(2, 50, 0.25)]
    [InlineData(0.5, 25, 0.5)]
    public void ShareAfter_ATime_IsThatOfTheCurve(double exponent, int seconds, double share)
    {
        var curve = new WarmupCurve(TimeSpan.FromSeconds(100), exponent);

        Assert.Equal(share, curve.ShareAfter(TimeSpan.FromSeconds(seconds)), precision: 9);
    }

    [Fact]
    public void ShareAfter_NoDuration_IsEverything() =>
        Assert.Equal(1, new WarmupCurve(TimeSpan.Zero, 1).ShareAfter(TimeSpan.Zero));

    [Theory]
    [InlineData(8, 0, 1)]
    [InlineData(8, 0.125, 1)]
    [InlineData(8, 0.126, 2)]
    [InlineData(8, 0.99, 8)]
    [InlineData(8, 1, 8)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 0)]
    public void QueuesOf_AShare_AreAtLeastOneAndNeverMoreThanThereAre(int queues, double share, int shown) =>
        Assert.Equal(shown, WarmupCurve.QueuesOf(queues, share));
}
