using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Lifecycle;

public sealed class NarrowRulesTests : IDisposable
{
    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1, 0, 2)]
    [InlineData(2, 0, 2)]
    [InlineData(3, 0, 3)]
    [InlineData(3, 0.5, 4)]
    [InlineData(3, 1, 8)]
    public void QueuesOf_AGrayTopic_HoldsQueuesOfBothSides(int graySize, double share, int shown)
    {
        TopicTable topics = _directory.OpenTopics();
        topics.Put(new TopicConfig { TopicName = "T", ReadQueueNums = 8, WriteQueueNums = 8 });
        var gray = new GrayTable();
        var queues = new GrayQueues(8, graySize);
        gray.Publish(new GrayView(1, new GraySnapshot { Version = default }, new Dictionary<string, GrayQueues> { ["T"] = queues }, [], []));

        int found = new NarrowRules(topics, gray).QueuesOf(topics.Find("T")!.Config, share);

        Assert.Equal(shown, found);
        Assert.Equal([Side.Normal, Side.Gray], Enumerable.Range(0, found).Select(queues.SideOf).Distinct().Order());
    }

    [Fact]
    public void QueuesOf_TopicsThatNobodyChooses_AreAll()
    {
        TopicTable topics = _directory.OpenTopics();
        topics.Put(new TopicConfig { TopicName = "%RETRY%G", ReadQueueNums = 8, WriteQueueNums = 8 });
        var rules = new NarrowRules(topics, new GrayTable());

        Assert.Equal(8, rules.QueuesOf(topics.Find("%RETRY%G")!.Config, 0));
        Assert.Equal(topics.Find("TBW102")!.Config.WriteQueueNums, rules.QueuesOf(topics.Find("TBW102")!.Config, 0));
    }
}
