using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Statistics;

public sealed class BrokerStatisticsTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly BrokerStatistics _statistics;
    private readonly Topic _topic = NewTopic("T");

    public BrokerStatisticsTests()
    {
        _statistics = new BrokerStatistics("Cluster", _time);
        _statistics.Start();
    }

    public void Dispose() => _statistics.Dispose();

    [Fact]
    public void Find_JustCounted_SumsSinceTheFirstCount()
    {
        _statistics.Put(_topic, 1, 100);
        _time.Advance(TimeSpan.FromSeconds(4));
        _statistics.Put(_topic, 7, 700);

        StatsView puts = _statistics.Find("TOPIC_PUT_NUMS", "T")!.Value;
        Assert.Equal(new StatsSum(8, 0.8, 4), puts.Minute);
        Assert.Equal(puts.Minute, puts.Hour);
        Assert.Equal(puts.Minute, puts.Day);
        Assert.Equal(new StatsSum(800, 80, 400), _statistics.Find("TOPIC_PUT_SIZE", "T")!.Value.Minute);
    }

    [Fact]
    public void Find_SteadyTraffic_SumsTheLastMinuteHourAndDay()
    {
        // One message at the first moment of every 10 s, for 26 hours.
        for (int i = 0; i < 26 * 360; i++)
        {
            _statistics.Put(_topic, 1, 10);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        StatsView view = _statistics.Find("TOPIC_PUT_NUMS", "T")!.Value;
        Assert.Equal(new StatsSum(6, 0.1, 1), view.Minute);
        Assert.Equal(new StatsSum(360, 0.1, 1), view.Hour);
        Assert.Equal(new StatsSum(24 * 360, 0.1, 1), view.Day);
        Assert.Equal(0.1, _statistics.PutTps("T"), 6);
    }

    [Fact]
    public void Find_AfterTheTrafficHasEnded_MinuteRunsEmpty()
    {
        _statistics.Put(_topic, 5, 10);
        _time.Advance(TimeSpan.FromSeconds(70));

        StatsView view = _statistics.Find("TOPIC_PUT_NUMS", "T")!.Value;
        Assert.Equal(0, view.Minute.Sum);
        Assert.Equal(0, view.Minute.PerSecond);
        Assert.Equal(5, view.Hour.Sum);
    }

    [Fact]
    public void Find_Consumed_IsKeyedByTopicAndGroup()
    {
        _statistics.Got("G", _topic, 32, 3200);
        _statistics.SentBack("G", "T");

        Assert.Equal(32, _statistics.Find("GROUP_GET_NUMS", "T@G")!.Value.Day.Sum);
        Assert.Equal(3200, _statistics.Find("GROUP_GET_SIZE", "T@G")!.Value.Day.Sum);
        Assert.Equal(1, _statistics.Find("SNDBCK_PUT_NUMS", "T@G")!.Value.Day.Sum);
        Assert.Equal(32, _statistics.Find("BROKER_GET_NUMS", "Cluster")!.Value.Day.Sum);
        Assert.Equal(0, _statistics.Find("BROKER_PUT_NUMS", "Cluster")!.Value.Day.Sum);
    }

    [Theory]
    [InlineData("TOPIC_PUT_NUMS", "Other")]
    [InlineData("GROUP_GET_NUMS", "T@Other")]
    [InlineData("BROKER_PUT_NUMS", "OtherCluster")]
    [InlineData("NO_SUCH_STATISTIC", "T")]
    public void Find_NothingCounted_IsNull(string name, string key)
    {
        _statistics.Put(_topic, 1, 1);
        _statistics.Got("G", _topic, 1, 1);

        Assert.Null(_statistics.Find(name, key));
    }

    [Fact]
    public void RemoveTopic_Counted_KeepsTheTotals()
    {
        Topic other = NewTopic("Other");
        _statistics.Put(_topic, 3, 30);
        _statistics.Put(other, 4, 40);
        _statistics.Got("G", _topic, 2, 20);

        _statistics.RemoveTopic("T");
        Topic again = NewTopic("T");
        _statistics.Put(again, 1, 10);

        Assert.Equal(1, _statistics.Find("TOPIC_PUT_NUMS", "T")!.Value.Day.Sum);
        Assert.Null(_statistics.Find("GROUP_GET_NUMS", "T@G"));
        Assert.Equal(new Traffic(8, 80, 3), _statistics.PutTotal);
        Assert.Equal(new Traffic(2, 20, 1), _statistics.GetTotal);
    }

    [Fact]
    public void RemoveGroup_Counted_ForgetsItsCounters()
    {
        _statistics.Got("G", _topic, 2, 20);
        _statistics.Got("H", _topic, 2, 20);

        _statistics.RemoveGroup("G");

        Assert.Equal(["T@H"], _statistics.Gets.Select(counter => counter.Key));
    }

    [Fact]
    public void Mornings_PastMidnight_HoldTheTotalsOfMidnight()
    {
        // The clock stands at noon.
        _statistics.Put(_topic, 10, 1);
        Assert.Equal(default, _statistics.Mornings);

        _time.Advance(TimeSpan.FromHours(12));
        _statistics.Put(_topic, 5, 1);
        _statistics.Got("G", _topic, 4, 1);
        Assert.Equal(new MorningTotals(0, 0, 10, 0), _statistics.Mornings);

        _time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(new MorningTotals(10, 0, 15, 4), _statistics.Mornings);
    }

    [Fact]
    public void Count_FromManyThreads_LosesNothing()
    {
        Parallel.For(0, 8, i =>
        {
            for (int n = 0; n < 10_000; n++)
            {
                _statistics.Put(_topic, 1, 2);
            }
        });

        Assert.Equal(new Traffic(80_000, 160_000, 80_000), _statistics.PutTotal);
    }

    [Fact]
    public void Count_Repeated_AllocatesNothing()
    {
        _statistics.Put(_topic, 1, 1);
        _statistics.Got("G", _topic, 1, 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            _statistics.Put(_topic, 1, 1);
            _statistics.Got("G", _topic, 1, 1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Topic NewTopic(string name) => new(new TopicConfig { TopicName = name }, isSystem: false);
}
