using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Messages;

/// <summary>Sends dead letters again: to queues of their target topics by turns, those with a sharding key always to the same.</summary>
internal sealed class Resending(Cluster cluster)
{
    private const int Attempts = 2;

    // What the way to the dead letters has left behind. What the broker sets itself is among it.
    private static readonly string[] LeftOut =
    [
        MessageProperty.RetryTopic, MessageProperty.DlqOriginTopic, MessageProperty.DlqOriginMessageId, MessageProperty.RealTopic,
        MessageProperty.RealQueueId, MessageProperty.DelayTimeLevel, MessageProperty.TimerDelayMs, MessageProperty.TimerDelaySeconds,
        MessageProperty.TimerDeliverMs, MessageProperty.TimerEnqueueMs, MessageProperty.TimerDequeueMs, MessageProperty.TimerRollTimes,
        MessageProperty.TimerOutMs, MessageProperty.TimerDeleteUniqueKey, MessageProperty.TimerDelayLevel,
        MessageProperty.MaxReconsumeTimes, MessageProperty.ReconsumeTime, MessageProperty.PopCheckPoint,
        MessageProperty.PopCheckPointOffset, MessageProperty.FirstPopTime, MessageProperty.ConsumeStartTime,
        MessageProperty.WaitStoreMessageOk, MessageProperty.TransactionPrepared, MessageProperty.MinOffset, MessageProperty.MaxOffset,
        MessageProperty.Cluster, MessageProperty.MessageRegion, MessageProperty.TraceSwitch, MessageProperty.Crc32,
    ];

    private readonly Dictionary<string, IReadOnlyList<(MessageQueue Queue, string Address)>> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _popRetryTopics = new(StringComparer.Ordinal);
    private int _turn;

    /// <summary>The topic that a dead letter's producer sent it to; null when nothing tells.</summary>
    public static string? OriginTopicOf(ReceivedMessage message) =>
        message.Properties.GetValueOrDefault(MessageProperty.RetryTopic)
        ?? message.Properties.GetValueOrDefault(MessageProperty.DlqOriginTopic);

    /// <summary>The properties that it is sent with.</summary>
    /// <param name="originTopic">Told to consumers of a retry topic, which show the message under it; null elsewhere.</param>
    public static Dictionary<string, string> PropertiesOf(ReceivedMessage message, string? originTopic)
    {
        var properties = new Dictionary<string, string>(message.Properties, StringComparer.Ordinal);
        if (!properties.ContainsKey(MessageProperty.OriginMessageId)
            && properties.TryGetValue(MessageProperty.DlqOriginMessageId, out string? origin))
        {
            properties[MessageProperty.OriginMessageId] = origin;
        }

        foreach (string name in LeftOut)
        {
            properties.Remove(name);
        }

        if (originTopic is not null)
        {
            properties[MessageProperty.RetryTopic] = originTopic;
        }

        return properties;
    }

    /// <summary>
    /// The retry topic by which its group gets a dead letter again. Who pops does not look into the group's own, but into that of the
    /// topic: there what was popped before goes.
    /// </summary>
    public async Task<string> RetryTopicAsync(string group, ReceivedMessage message, string? originTopic, CancellationToken cancel)
    {
        if (originTopic is null || !message.Properties.ContainsKey(MessageProperty.FirstPopTime))
        {
            return TopicNames.RetryOf(group);
        }

        if (!_popRetryTopics.TryGetValue(originTopic, out string? known))
        {
            foreach (bool secondForm in (bool[])[false, true])
            {
                string name = TopicNames.PopRetryOf(originTopic, group, secondForm);
                known ??= await cluster.Admin.FindRouteAsync(name, cancel).ConfigureAwait(false) is null ? null : name;
            }

            _popRetryTopics[originTopic] = known;
        }

        return known ?? TopicNames.RetryOf(group);
    }

    /// <exception cref="CommandFailure">The target does not exist, or cannot be sent to.</exception>
    /// <exception cref="GrayMQException">It is not stored; nor with the exceptions of the network.</exception>
    public async Task<SendMessageResponseHeader> SendAsync(
        ReceivedMessage message, string target, string? originTopic, CancellationToken cancel)
    {
        IReadOnlyList<(MessageQueue Queue, string Address)> queues = await QueuesAsync(target, cancel).ConfigureAwait(false);
        Dictionary<string, string> properties = PropertiesOf(message, originTopic);
        int start = properties.TryGetValue(MessageProperty.ShardingKey, out string? key)
            ? JavaStringHash.Of(key) & int.MaxValue
            : _turn++ & int.MaxValue;
        for (int attempt = 1; ; attempt++)
        {
            (MessageQueue queue, string address) = queues[(int)(((uint)start + (key is null ? attempt - 1 : 0)) % queues.Count)];
            try
            {
                return await cluster.Admin.SendAgainAsync(address, queue, message, properties, cancel).ConfigureAwait(false);
            }
            catch (IOException) when (attempt < Attempts)
            {
                // The connection had ended; one that timed out is not tried again: it may be stored.
            }
        }
    }

    private async Task<IReadOnlyList<(MessageQueue Queue, string Address)>> QueuesAsync(string topic, CancellationToken cancel)
    {
        if (!_targets.TryGetValue(topic, out IReadOnlyList<(MessageQueue Queue, string Address)>? queues))
        {
            TopicRouteData route = await cluster.RouteAsync(topic, cancel).ConfigureAwait(false);
            queues =
            [
                .. route.QueueDatas
                    .Where(data => TopicPermission.IsWritable(data.Perm))
                    .SelectMany(data => route.BrokerDatas
                        .Where(broker => broker.BrokerName == data.BrokerName && broker.BrokerAddrs.ContainsKey(BrokerData.MasterId))
                        .SelectMany(broker => Enumerable.Range(0, data.WriteQueueNums).Select(id =>
                            (new MessageQueue(topic, data.BrokerName, id), broker.BrokerAddrs[BrokerData.MasterId]))))
                    .OrderBy(queue => queue.Item1),
            ];
            _targets[topic] = queues;
        }

        return queues.Count > 0 ? queues : throw CommandFailure.NotFound($"topic {topic} has no queue that can be written to");
    }
}
