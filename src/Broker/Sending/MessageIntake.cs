using System.Buffers;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// The way of every message into the store, whoever brings it: a producer's send, a retry, a dead letter, a due timer, a committed
/// transaction, a revived pop. Finds the queue, appends and counts. Knows no policy: whether the topic may be written to, and
/// whether the message is to be delivered later, is decided before. Since every message comes by here when it is stored for good, this is
/// where those of gray topics are moved to the queues of their side.
/// </summary>
internal sealed class MessageIntake(MessageStore store, BrokerStatistics statistics, MessageHost storeHost, GrayTable gray)
{
    private readonly MessageHost _storeHost = storeHost;

    /// <summary>The address that stored messages name, and with them their ids.</summary>
    public MessageHost StoreHost => _storeHost;

    /// <summary>What a record is stored again from: everything of it but its properties and what a first sending alone has.</summary>
    /// <param name="message">Has to stay in its lease until it is appended.</param>
    /// <param name="properties">Exactly as they shall stand in the log.</param>
    public MessageAppend Copy(in StoredMessage message, ReadOnlySpan<byte> properties) => new()
    {
        Body = message.Body,
        Properties = properties,
        Flag = message.Flag,
        SysFlag = message.SysFlag,
        BornTimestampMs = message.BornTimestampMs,
        BornHost = message.BornHost,
        StoreHost = _storeHost,
        ReconsumeTimes = message.ReconsumeTimes,
    };

    /// <summary>Stores a message; whether it is on disk is for <see cref="WaitForFlushAsync"/> to say. Allocates nothing.</summary>
    /// <param name="queueId">One that the topic may have; the queue is made when nothing was ever stored in it.</param>
    /// <returns>Its <see cref="AppendResult.QueueId"/> is another where the message was moved.</returns>
    public AppendResult Append(Topic topic, int queueId, in MessageAppend message)
    {
        AppendResult result;
        do
        {
            // In this order: a view that is out of date then has an epoch that is as well, and the store refuses.
            int epoch = store.MappingEpoch;
            GrayView? view = gray.View;
            int used = queueId;
            if (view is not null)
            {
                epoch = view.Epoch;
                used = view.Map(topic, queueId, message.Properties);
            }

            result = store.Append(store.GetQueue(topic.NameUtf8.Span, used), in message, epoch);
            if (result.Status == AppendStatus.QueueRetired)
            {
                // The topic was deleted since, with its queue; the one that is made now begins anew.
                result = store.Append(store.GetQueue(topic.NameUtf8.Span, used), in message, epoch);
            }
        }
        while (result.Status == AppendStatus.MappingChanged);

        if (result.IsOk && message.IsAnnouncedLater)
        {
            // Counted with the announcement.
            PutTally.OfThread.Add(statistics, topic, 1, result.Bytes);
        }
        else if (result.IsOk)
        {
            statistics.Put(topic, 1, result.Bytes);
        }

        return result;
    }

    /// <summary>
    /// Stores a message in a topic that was deleted while the message waited, as RocketMQ does: it is found by its id and its keys, and
    /// consumed if the topic is created again. Counted for no topic.
    /// </summary>
    /// <returns><see cref="AppendStatus.MessageIllegal"/> for a name that no topic can have.</returns>
    public AppendResult AppendToDeleted(ReadOnlySpan<byte> topic, int queueId, in MessageAppend message) =>
        TopicNames.Problem(topic) is null
            ? store.Append(store.GetQueue(topic, queueId), in message)
            : new AppendResult(AppendStatus.MessageIllegal, 0, 0, 0, 0);

    /// <summary>Stores all messages of a batch or none; see <see cref="MessageStore.AppendBatch"/>.</summary>
    public AppendBatchResult AppendBatch(
        Topic topic, int queueId, in MessageAppend common, in ReadOnlySequence<byte> batchBody, List<long> physicalOffsets)
    {
        AppendBatchResult result;
        do
        {
            int epoch = store.MappingEpoch;
            GrayView? view = gray.View;
            int used = queueId;
            if (view is not null)
            {
                epoch = view.Epoch;
                used = view.FindQueues(topic) is { } queues
                    ? queues.Map(queueId, BatchSides.Of(in batchBody, common.Properties))
                    : queueId;
            }

            result = store.AppendBatch(
                store.GetQueue(topic.NameUtf8.Span, used), in common, batchBody, physicalOffsets, epoch);
            if (result.Status == AppendStatus.QueueRetired)
            {
                result = store.AppendBatch(
                    store.GetQueue(topic.NameUtf8.Span, used), in common, batchBody, physicalOffsets, epoch);
            }
        }
        while (result.Status == AppendStatus.MappingChanged);

        if (result.IsOk)
        {
            statistics.Put(topic, result.Count, result.Bytes);
        }

        return result;
    }

    /// <summary>To be done for what was appended with <see cref="MessageAppend.IsAnnouncedLater"/> before its sender is answered.</summary>
    public AppendedWork Appended { get; } = new(store);

    /// <inheritdoc cref="MessageStore.AnnounceAppended"/>
    public void AnnounceAppended() => store.AnnounceAppended();

    /// <inheritdoc cref="MessageStore.WaitForFlushAsync"/>
    public ValueTask<FlushStatus> WaitForFlushAsync(long endOffset) => store.WaitForFlushAsync(endOffset);

    /// <inheritdoc cref="MessageStore.WaitForFlush"/>
    public FlushStatus? WaitForFlush(long endOffset, FlushWaiter waiter) => store.WaitForFlush(endOffset, waiter);

    /// <inheritdoc cref="MessageStore.IsFlushed"/>
    public bool IsFlushed(long endOffset) => store.IsFlushed(endOffset);

    /// <summary>What to answer to whom a message's flush was waited for (RocketMQ: SendMessageProcessor.handlePutMessageResult).</summary>
    public static ResponseCode ToCode(FlushStatus status) => status switch
    {
        FlushStatus.Flushed => ResponseCode.Success,
        FlushStatus.TimedOut => ResponseCode.FlushDiskTimeout,
        _ => ResponseCode.SystemError,
    };

    /// <summary>What a producer is told when its message was not stored.</summary>
    /// <param name="status">Not <see cref="AppendStatus.Ok"/>.</param>
    /// <param name="maxMessageBytes">RocketMQ: maxMessageSize.</param>
    public static RemotingException Refusal(AppendStatus status, int maxMessageBytes) => status switch
    {
        AppendStatus.MessageIllegal or AppendStatus.PropertiesSizeExceeded => new RemotingException(
            ResponseCode.MessageIllegal,
            "the message is illegal, maybe msg body or properties length not matched. "
            + $"msg body length limit {maxMessageBytes}B, msg properties length limit 32KB."),
        AppendStatus.CreateMappedFileFailed => new RemotingException(
            ResponseCode.ServiceNotAvailable, "service not available now: there is no room for another commit-log file"),
        _ => new RemotingException(
            ResponseCode.ServiceNotAvailable,
            "service not available now: the disk is nearly full, a flush has failed, or the broker is stopping"),
    };
}
