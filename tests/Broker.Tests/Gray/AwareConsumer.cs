using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>A consumer of this project's client that says on which side it is and shares gray and normal queues out apart.</summary>
internal sealed class AwareConsumer : IScenarioConsumer, IAsyncDisposable
{
    private readonly PushConsumer _consumer;
    private readonly string _topic;

    private AwareConsumer(string nameServer, string id, string group, (string Topic, string Tags)[] subscriptions)
    {
        var options = new PushConsumerOptions
        {
            NameServers = nameServer,
            Group = group,
            InstanceName = id,
            ConsumeFrom = ConsumeFrom.First,
            Allocation = new AllocateMessageQueueGray(),
            GraySwitch = true,
            GrayFlag = id.StartsWith("v2", StringComparison.Ordinal),
            RebalanceInterval = TimeSpan.FromMilliseconds(500),
            OffsetCommitInterval = TimeSpan.FromMilliseconds(100),
        };
        foreach ((string topic, string tags) in subscriptions)
        {
            options.Subscriptions[topic] = tags;
        }

        _topic = subscriptions[0].Topic;
        _consumer = new PushConsumer(options, (message, _) =>
        {
            Consumed.Enqueue($"{message.Topic}:{Encoding.UTF8.GetString(message.Body.Span)}");
            return ValueTask.FromResult(ConsumeResult.Success);
        });
    }

    /// <inheritdoc/>
    public ConcurrentQueue<string> Consumed { get; } = new();

    /// <inheritdoc/>
    public Exception? Failure => null;

    public static async Task<AwareConsumer> StartAsync(
        string nameServer, string id, string group, (string Topic, string Tags)[] subscriptions)
    {
        var consumer = new AwareConsumer(nameServer, id, group, subscriptions);
        await consumer._consumer.StartAsync();
        return consumer;
    }

    /// <summary>Whether it has no more than its share of each side's queues.</summary>
    public bool IsAmong(int members)
    {
        var live = new GrayQueues(GrayFixture.Queues, GrayQueues.DefaultSize);
        ILookup<Side, int> mine = _consumer.Queues.Where(queue => queue.Topic == _topic).Select(queue => queue.QueueId).ToLookup(live.SideOf);

        // With more members than queues of a side, some have none.
        return (mine.Count > 0 || members > live.Normal.Count)
            && mine[Side.Gray].Count() <= Share(live.Gray.Count, members)
            && mine[Side.Normal].Count() <= Share(live.Normal.Count, members);
    }

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();

    private static int Share(int queues, int members) => (queues + members - 1) / members;
}
