using System.Collections.Frozen;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Properties that are RocketMQ's own: clients may not set them, and are not shown them (RocketMQ: MessageConst.STRING_HASH_SET).</summary>
internal static class SystemPropertyNames
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.Ordinal,
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

        // Not in RocketMQ's list, yet each would change what becomes of the message.
        MessageProperty.ShardingKey,
        MessageProperty.TransactionId,
        MessageProperty.TransactionCheckTimes,
        MessageProperty.CheckImmunityTimeSeconds,
        MessageProperty.TraceContext,
        MessageProperty.InnerNumber,
        MessageProperty.InnerBase,
        MessageProperty.ForwardQueueId,
        MessageProperty.Redirect,
        MessageProperty.InnerMultiDispatch);

    public static bool Contains(string name) => Names.Contains(name);
}
