using System.Collections.Frozen;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>Names of properties that are RocketMQ's own: an application must not set them (RocketMQ: MessageConst.STRING_HASH_SET).</summary>
internal static class ReservedProperties
{
    public static FrozenSet<string> Names { get; } = FrozenSet.ToFrozenSet(
        [
            MessageProperty.TraceSwitch,
            MessageProperty.MessageRegion,
            MessageProperty.Keys,
            MessageProperty.Tags,
            MessageProperty.WaitStoreMessageOk,
            MessageProperty.DelayTimeLevel,
            MessageProperty.RetryTopic,
            MessageProperty.RealTopic,
            MessageProperty.RealQueueId,
            MessageProperty.TransactionPrepared,
            MessageProperty.ProducerGroup,
            MessageProperty.MinOffset,
            MessageProperty.MaxOffset,
            MessageProperty.BuyerId,
            MessageProperty.OriginMessageId,
            MessageProperty.TransferFlag,
            MessageProperty.CorrectionFlag,
            MessageProperty.Mq2Flag,
            MessageProperty.ReconsumeTime,
            MessageProperty.UniqueKey,
            MessageProperty.MaxReconsumeTimes,
            MessageProperty.ConsumeStartTime,
            MessageProperty.PopCheckPoint,
            MessageProperty.PopCheckPointOffset,
            MessageProperty.FirstPopTime,
            MessageProperty.TransactionPreparedQueueOffset,
            MessageProperty.DuplicationInfo,
            MessageProperty.ExtendUniqueInfo,
            MessageProperty.InstanceId,
            MessageProperty.CorrelationId,
            MessageProperty.ReplyToClient,
            MessageProperty.TimeToLive,
            MessageProperty.ReplyArriveTime,
            MessageProperty.PushReplyTime,
            MessageProperty.Cluster,
            MessageProperty.MessageType,
            MessageProperty.InnerMultiQueueOffset,
            MessageProperty.TimerDelayMs,
            MessageProperty.TimerDelaySeconds,
            MessageProperty.TimerDeliverMs,
            MessageProperty.TimerEnqueueMs,
            MessageProperty.TimerDequeueMs,
            MessageProperty.TimerRollTimes,
            MessageProperty.TimerOutMs,
            MessageProperty.TimerDeleteUniqueKey,
            MessageProperty.TimerDelayLevel,
            MessageProperty.BornHost,
            MessageProperty.BornTimestamp,
            MessageProperty.DlqOriginTopic,
            MessageProperty.DlqOriginMessageId,
            MessageProperty.Crc32,
        ],
        StringComparer.Ordinal);
}
