using GrayMQ.Client.Routes;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.Routes;

public class TopicRouteTests
{
    [Fact]
    public void From_SeveralBrokers_ListsQueuesByBrokerThenId()
    {
        TopicRoute route = TopicRoute.From("t", Route(Queue("b", 6, 1, 2), Queue("a", 6, 2, 1)));

        Assert.Equal([new("t", "a", 0), new("t", "b", 0), new("t", "b", 1)], route.WritableQueues);
        Assert.Equal([new("t", "a", 0), new("t", "a", 1), new("t", "b", 0)], route.ReadableQueues);
    }

    [Fact]
    public void From_ReadOnlyBroker_IsNotWritten()
    {
        TopicRoute route = TopicRoute.From("t", Route(Queue("a", 4, 1, 1), Queue("b", 2, 1, 1)));

        Assert.Equal([new("t", "b", 0)], route.WritableQueues);
        Assert.Equal([new("t", "a", 0)], route.ReadableQueues);
    }

    [Fact]
    public void From_BrokerWithoutMaster_IsReadButNotWritten()
    {
        TopicRouteData data = Route(Queue("a", 6, 1, 1));
        data.BrokerDatas[0].BrokerAddrs = new() { [1] = "slave:1" };

        TopicRoute route = TopicRoute.From("t", data);

        Assert.Empty(route.WritableQueues);
        Assert.Single(route.ReadableQueues);
        Assert.Null(route.FindMaster("a"));
        Assert.Equal("slave:1", route.FindBroker("a")!.FindReader(0, out bool isMaster));
        Assert.False(isMaster);
    }

    [Fact]
    public void From_OrderConfiguration_DecidesWhatIsWritten()
    {
        TopicRouteData data = Route(Queue("a", 6, 1, 1), Queue("b", 6, 1, 1));
        data.OrderTopicConf = "b:2;a:1";

        Assert.Equal([new("t", "b", 0), new("t", "b", 1), new("t", "a", 0)], TopicRoute.From("t", data).WritableQueues);
    }

    [Fact]
    public void Provisional_Template_LimitsQueues()
    {
        TopicRoute route = TopicRoute.Provisional("t", Route(Queue("a", 7, 8, 8), Queue("b", 7, 2, 2)), queues: 4);

        Assert.Equal(4, route.WritableQueues.Count(queue => queue.BrokerName == "a"));
        Assert.Equal(2, route.WritableQueues.Count(queue => queue.BrokerName == "b"));
        Assert.True(route.IsProvisional);
    }

    [Theory]
    [InlineData(0, "master:1", true)]
    [InlineData(1, "slave:2", false)]
    [InlineData(2, "slave:2", false)]
    [InlineData(7, "master:1", true)]
    public void FindReader_BrokerId_TakesThatOrTheNextOrAny(long wanted, string expected, bool expectMaster)
    {
        TopicRouteData data = Route(Queue("a", 6, 1, 1));
        data.BrokerDatas[0].BrokerAddrs = new() { [0] = "master:1", [2] = "slave:2" };

        Assert.Equal(expected, TopicRoute.From("t", data).FindBroker("a")!.FindReader(wanted, out bool isMaster));
        Assert.Equal(expectMaster, isMaster);
    }

    private static QueueData Queue(string broker, int perm, int read, int write) =>
        new() { BrokerName = broker, Perm = perm, ReadQueueNums = read, WriteQueueNums = write };

    private static TopicRouteData Route(params QueueData[] queues) => new()
    {
        QueueDatas = [.. queues],
        BrokerDatas = [.. queues.Select(queue => new BrokerData
        {
            BrokerName = queue.BrokerName,
            BrokerAddrs = new() { [0] = $"{queue.BrokerName}:1" },
        })],
    };
}
