using System.Collections.Immutable;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.Producers;

public class SlowStartTests
{
    private const int Queues = 4;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly BrokerArrivals _arrivals;

    public SlowStartTests() => _arrivals = new BrokerArrivals(_time);

    [Theory]
    [InlineData(0, 0.05)]
    [InlineData(15, 0.25)]
    [InlineData(30, 0.5)]
    [InlineData(60, 1)]
    [InlineData(7200, 1)]
    public void WeightOf_ABrokerThatCame_GrowsWithItsAge(int seconds, double weight)
    {
        _arrivals.Follow(Route("a"), Route("a", "b"));
        _time.Advance(TimeSpan.FromSeconds(seconds));
        var slowStart = new SlowStart(_arrivals, Duration);

        Assert.Equal((1, weight), (slowStart.WeightOf(new("t", "a", 0)), slowStart.WeightOf(new("t", "b", 0))));
        Assert.Equal(1, slowStart.WeightOf(new("other", "b", 0)));
    }

    [Fact]
    public void WeightOf_BrokerThatLeftAndIsBack_BeginsAnew()
    {
        _arrivals.Follow(Route("a"), Route("a", "b"));
        _time.Advance(Duration / 2);
        _arrivals.Follow(Route("a", "b"), Route("a"));
        _arrivals.Follow(Route("a"), Route("a", "b"));

        Assert.Equal(0.05, new SlowStart(_arrivals, Duration).WeightOf(new("t", "b", 0)));
    }

    [Fact]
    public void WeightOf_BrokerThatShowsAPartOfItsQueues_IsWhole()
    {
        TopicRoute now = Route("a", "b");
        TopicRouteData narrowed = now.Data with { QueueDatas = [now.Data.QueueDatas[0], now.Data.QueueDatas[1] with { WriteQueueNums = 1 }] };
        _arrivals.Follow(Route("a"), TopicRoute.From("t", narrowed));

        Assert.False(new SlowStart(_arrivals, Duration).Any);
    }

    [Fact]
    public void WeightOf_SwitchedOff_IsWhole()
    {
        _arrivals.Follow(Route("a"), Route("a", "b"));

        Assert.Equal(1, new SlowStart(_arrivals, TimeSpan.Zero).WeightOf(new("t", "b", 0)));
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Next_OneOfThreeBrokersIsNew_GetsItsPartAndTheOthersEvenly(double age)
    {
        // The rest is what it gives away, half to each of the others.
        const int Sends = 12_000;
        _arrivals.Follow(Route("a", "c"), Route("a", "b", "c"));
        _time.Advance(Duration * age);
        var random = new Random(4711);
        var rotation = new QueueRotation(
            new BrokerFaults(new LeavingBrokers(_time), _time), new SlowStart(_arrivals, Duration, random.NextDouble));
        ImmutableArray<MessageQueue> queues = Route("a", "b", "c").WritableQueues;
        var taken = new Dictionary<MessageQueue, int>();

        for (int i = 0; i < Sends; i++)
        {
            MessageQueue queue = rotation.Next("t", queues, []);
            taken[queue] = taken.GetValueOrDefault(queue) + 1;
        }

        double each = Sends / (3.0 * Queues);
        double more = each * (1 + ((1 - age) / 2));
        Assert.All(taken, queue => Assert.InRange(
            queue.Value,
            (queue.Key.BrokerName == "b" ? each * age : more) * 0.85,
            (queue.Key.BrokerName == "b" ? each * age : more) * 1.15));
        Assert.Equal(3 * Queues, taken.Count);
    }

    [Fact]
    public void Next_OnlyNewBrokers_UsesThem()
    {
        _arrivals.Follow(Route("a"), Route("b"));
        var rotation = new QueueRotation(
            new BrokerFaults(new LeavingBrokers(_time), _time), new SlowStart(_arrivals, Duration, () => 0.99));

        Assert.Equal("b", rotation.Next("t", Route("b").WritableQueues, []).BrokerName);
    }

    private static TopicRoute Route(params string[] brokers) => TopicRoute.From("t", new TopicRouteData
    {
        BrokerDatas = [.. brokers.Select(name => new BrokerData { BrokerName = name, Cluster = "c", BrokerAddrs = new() { [0] = $"{name}:1" } })],
        QueueDatas = [.. brokers.Select(name => new QueueData { BrokerName = name, Perm = 6, ReadQueueNums = Queues, WriteQueueNums = Queues })],
    });
}
