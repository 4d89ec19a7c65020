using System.Text;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Store.Appending;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Retries;

/// <summary>
/// Stores again what a group could not consume: in a retry topic, one attempt further, or among its dead letters. The message stays
/// what it was (body, keys, tags, who sent it and when) and tells where it came from: RETRY_TOPIC names the topic that it was sent to,
/// ORIGIN_MESSAGE_ID the record that it was first (RocketMQ: AbstractSendMessageProcessor.consumerSendMsgBack).
/// </summary>
/// <remarks>A message given here has to stay in its lease until the call returns. Whether the copy is on disk is for
/// <see cref="MessageIntake.WaitForFlushAsync"/> to say: who gives the original up waits for that first.</remarks>
internal sealed class FailedMessages(
    TopicTable topics,
    RetryTopics retryTopics,
    DelayRouting delays,
    MessageIntake intake,
    BrokerStatistics statistics,
    GrayTable gray,
    ILogger<FailedMessages> logger)
{
    /// <summary>Stores a message for another attempt of its group's consumers, after a delay.</summary>
    /// <param name="retryTopic">From <see cref="RetryTopics.Retry"/>.</param>
    /// <param name="delayLevel">More than 0.</param>
    /// <param name="client">Who failed it.</param>
    public AppendResult Retry(
        in StoredMessage message, SubscriptionGroupConfig group, Topic retryTopic, int delayLevel, RemotingPeer client)
    {
        var properties = new MessagePropertiesEditor(message.Properties);
        try
        {
            TellSide(ref properties, in message, group.GroupName, client);
            SetOrigin(ref properties, in message, default);
            properties.Set(MessagePropertyUtf8.DelayTimeLevel, delayLevel);
            DelayRoute route = delays.Route(retryTopic, ChooseQueue(group, retryTopic), ref properties);
            AppendResult result = Append(route.Topic, route.QueueId, in message, in properties);
            if (result.IsOk)
            {
                statistics.SentBack(group.GroupName, OriginOf(in properties, retryTopic));
            }

            return result;
        }
        finally
        {
            properties.Dispose();
        }
    }

    /// <summary>Stores a message among the dead letters of its group: it has been tried often enough.</summary>
    /// <param name="originTopic">The topic that it was sent to, if the message itself need not know it; else empty.</param>
    /// <param name="isRevival">Marks the copy, as <see cref="Revive"/> does.</param>
    public AppendResult DeadLetter(
        in StoredMessage message, string group, ReadOnlySpan<byte> originTopic = default, bool isRevival = false)
    {
        Topic topic = retryTopics.DeadLetters(group);
        var properties = new MessagePropertiesEditor(message.Properties);
        try
        {
            SetOrigin(ref properties, in message, originTopic);
            properties.Set(MessagePropertyUtf8.DelayTimeLevel, 0);
            AppendResult result = Append(topic, 0, in message, in properties, isRevival);
            if (result.IsOk)
            {
                string origin = OriginOf(in properties, topic);
                statistics.SentBack(group, origin);
                statistics.DeadLettered(group, origin);
                properties.TryFind(MessagePropertyUtf8.UniqueKey, out ReadOnlySpan<byte> uniqueKey);
                Log.DeadLettered(logger, group, origin, Encoding.UTF8.GetString(uniqueKey), message.ReconsumeTimes);
            }

            return result;
        }
        finally
        {
            properties.Dispose();
        }
    }

    /// <summary>
    /// Stores a message again that was popped and neither acknowledged nor given more time: in the retry topic of its topic, or, when
    /// it has been tried as often as the group allows, among the dead letters (RocketMQ: PopReviveService.reviveRetry, where
    /// the limit is for the clients to keep). The copy names its original in the field PreparedTransactionOffset, all bits turned, so that
    /// after a crash between the copy and the end of the check point the log itself tells that it was made.
    /// </summary>
    /// <param name="topic">The topic that it was popped from; a retry topic is taken again.</param>
    /// <param name="originTopic">The topic that it was sent to.</param>
    /// <param name="firstPopTimeMs">Kept with the message, unless it has one from an earlier pop.</param>
    /// <param name="secondForm">RocketMQ: enableRetryTopicV2.</param>
    public AppendResult Revive(
        in StoredMessage message,
        SubscriptionGroupConfig group,
        Topic topic,
        string originTopic,
        long firstPopTimeMs,
        bool secondForm = false)
    {
        if (message.ReconsumeTimes >= group.RetryMaxTimes)
        {
            return DeadLetter(in message, group.GroupName, Encoding.UTF8.GetBytes(originTopic), isRevival: true);
        }

        Topic retryTopic = topic.IsRetry ? topic : retryTopics.PopRetry(originTopic, group.GroupName, secondForm);
        var properties = new MessagePropertiesEditor(message.Properties);
        try
        {
            TellSide(ref properties, in message, group.GroupName, null);
            if (message.ReconsumeTimes == 0 || !properties.Contains(MessagePropertyUtf8.FirstPopTime))
            {
                properties.Set(MessagePropertyUtf8.FirstPopTime, firstPopTimeMs);
            }

            AppendResult result = Append(retryTopic, 0, in message, in properties, isRevival: true);
            if (result.Status != AppendStatus.PropertiesSizeExceeded)
            {
                return result;
            }
        }
        finally
        {
            properties.Dispose();
        }

        // Better without the time of its first pop than not at all.
        using var bare = new MessagePropertiesEditor(message.Properties);
        return Append(retryTopic, 0, in message, in bare, isRevival: true);
    }

    // Where the group has a gray release, a message comes back to the side that failed it, whatever the message is.
    private void TellSide(
        scoped ref MessagePropertiesEditor properties, in StoredMessage message, string group, RemotingPeer? client)
    {
        if (gray.FindGroup(group) is { } sides)
        {
            Side side = (client is null ? null : sides.FailingSideOf(client))
                ?? sides.Find(message.Topic, message.QueueId)?.Owner
                ?? Side.Normal;
            GrayView.SetFailedBy(ref properties, side);
        }
    }

    private AppendResult Append(
        Topic topic, int queueId, in StoredMessage message, in MessagePropertiesEditor properties, bool isRevival = false) =>
        intake.Append(topic, queueId, intake.Copy(in message, properties.Bytes) with
        {
            ReconsumeTimes = message.ReconsumeTimes + 1,
            SysFlag = MessageSysFlag.WithTransaction(message.SysFlag, MessageSysFlag.TransactionNone),
            PreparedTransactionOffset = isRevival ? ~message.PhysicalOffset : 0,
        });

    private static void SetOrigin(
        ref MessagePropertiesEditor properties, in StoredMessage message, ReadOnlySpan<byte> originTopic)
    {
        Span<byte> id = stackalloc byte[MessageId.V6Digits];
        MessageId.TryFormat(id, message.StoreHost, message.PhysicalOffset, out int digits);
        properties.SetIfAbsent(MessagePropertyUtf8.RetryTopic, originTopic.IsEmpty ? message.Topic : originTopic);
        properties.SetIfAbsent(MessagePropertyUtf8.OriginMessageId, id[..digits]);

        // The group no longer waits for this message; it is the answer to whoever sends it back that waits for the disk.
        properties.Set(MessagePropertyUtf8.WaitStoreMessageOk, "false"u8);
    }

    // A producer can write anything into the property: only topics that there are may be counted by.
    private string OriginOf(in MessagePropertiesEditor properties, Topic storedIn) =>
        properties.TryFind(MessagePropertyUtf8.RetryTopic, out ReadOnlySpan<byte> origin)
            ? (topics.Find(origin) ?? storedIn).Name
            : storedIn.Name;

    // The topic keeps the queues that it was made with: one beyond them nobody would read.
    private static int ChooseQueue(SubscriptionGroupConfig group, Topic retryTopic)
    {
        TopicConfig config = retryTopic.Config;
        int queues = Math.Min(group.RetryQueueNums, Math.Min(config.ReadQueueNums, config.WriteQueueNums));
        return Random.Shared.Next(Math.Max(1, queues));
    }
}
