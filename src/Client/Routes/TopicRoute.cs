using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Routes;

/// <summary>Where a topic lives, as clients use it: a snapshot that never changes.</summary>
internal sealed class TopicRoute
{
    private readonly FrozenDictionary<string, RouteBroker> _brokers;

    private TopicRoute(string topic, TopicRouteData data, bool isProvisional)
    {
        Topic = topic;
        TopicUtf8 = Encoding.UTF8.GetBytes(topic);
        Data = data;
        IsProvisional = isProvisional;
        var brokers = new Dictionary<string, RouteBroker>(StringComparer.Ordinal);
        foreach (BrokerData broker in data.BrokerDatas)
        {
            brokers[broker.BrokerName] = new RouteBroker(broker);
        }

        _brokers = brokers.ToFrozenDictionary(StringComparer.Ordinal);
        WritableQueues = FindWritableQueues();
        ReadableQueues = FindReadableQueues();
    }

    public string Topic { get; }

    /// <summary>The topic as requests carry it.</summary>
    public ReadOnlyMemory<byte> TopicUtf8 { get; }

    public TopicRouteData Data { get; }

    /// <summary>Made from the route of the topic that new topics are created after: the topic itself does not exist yet.</summary>
    public bool IsProvisional { get; }

    /// <summary>
    /// Queues that can be sent to, in the order in which RocketMQ's clients list them: by broker name, then queue id; those of
    /// an ordered topic as its order configuration says.
    /// </summary>
    public ImmutableArray<MessageQueue> WritableQueues { get; }

    /// <summary>Queues that can be read, sorted: all consumers of a group share out the same list.</summary>
    public ImmutableArray<MessageQueue> ReadableQueues { get; }

    public IEnumerable<RouteBroker> Brokers => _brokers.Values;

    public static TopicRoute From(string topic, TopicRouteData data) => new(topic, data, isProvisional: false);

    /// <summary>The route that a topic will have once a broker has created it after <paramref name="template"/>'s topic.</summary>
    public static TopicRoute Provisional(string topic, TopicRouteData template, int queues)
    {
        List<QueueData> limited = [.. template.QueueDatas.Select(data =>
        {
            int count = Math.Min(queues, data.ReadQueueNums);
            return data with { ReadQueueNums = count, WriteQueueNums = count };
        })];
        return new TopicRoute(topic, template with { QueueDatas = limited }, isProvisional: true);
    }

    /// <summary>The broker with this name; null when the route has none.</summary>
    public RouteBroker? FindBroker(string brokerName) => _brokers.GetValueOrDefault(brokerName);

    /// <summary>The address that takes a broker's writes; null when its master is not there.</summary>
    public string? FindMaster(string brokerName) => FindBroker(brokerName)?.Master;

    private ImmutableArray<MessageQueue> FindWritableQueues()
    {
        ImmutableArray<MessageQueue>.Builder queues = ImmutableArray.CreateBuilder<MessageQueue>();
        if (!string.IsNullOrEmpty(Data.OrderTopicConf))
        {
            foreach (string entry in Data.OrderTopicConf.Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] parts = entry.Split(':');
                if (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
                {
                    Add(queues, parts[0], count);
                }
            }

            return queues.DrainToImmutable();
        }

        foreach (QueueData data in Data.QueueDatas.OrderBy(data => data.BrokerName, StringComparer.Ordinal))
        {
            if (TopicPermission.IsWritable(data.Perm) && FindMaster(data.BrokerName) is not null)
            {
                Add(queues, data.BrokerName, data.WriteQueueNums);
            }
        }

        return queues.DrainToImmutable();
    }

    private ImmutableArray<MessageQueue> FindReadableQueues()
    {
        ImmutableArray<MessageQueue>.Builder queues = ImmutableArray.CreateBuilder<MessageQueue>();
        foreach (QueueData data in Data.QueueDatas)
        {
            if (TopicPermission.IsReadable(data.Perm))
            {
                Add(queues, data.BrokerName, data.ReadQueueNums);
            }
        }

        queues.Sort();
        return queues.DrainToImmutable();
    }

    private void Add(ImmutableArray<MessageQueue>.Builder queues, string brokerName, int count)
    {
        for (int i = 0; i < count; i++)
        {
            queues.Add(new MessageQueue(Topic, brokerName, i));
        }
    }
}
