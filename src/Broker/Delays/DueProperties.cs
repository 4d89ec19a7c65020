using System.Buffers.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// What becomes of a pending message's properties when it is due. Those of a level stay as they are; one with a time is told when it
/// began to wait and when it stopped. DELAY, REAL_TOPIC and the like stay in both, as they do with RocketMQ
/// (TimerMessageStore.convert, ScheduleMessageService.messageTimeUp).
/// </summary>
internal static class DueProperties
{
    // RocketMQ's wheel turns in seconds.
    private const long WheelMs = 1000;

    /// <summary>The queue that the message is meant for, or another one where its topic has fewer by now.</summary>
    /// <param name="config">Of its topic; null if that is gone.</param>
    public static int QueueOf(in StoredMessage message, TopicConfig? config)
    {
        int queues = config is null ? int.MaxValue : Math.Max(1, Math.Max(config.WriteQueueNums, config.ReadQueueNums));
        return message.TryGetProperty(MessagePropertyUtf8.RealQueueId, out ReadOnlySpan<byte> digits)
            && Utf8Parser.TryParse(digits, out int queueId, out _)
            && queueId >= 0
                ? queueId % queues
                : 0;
    }

    public static void SetTimes(scoped ref MessagePropertiesEditor properties, in StoredMessage message, long nowMs)
    {
        properties.Set(MessagePropertyUtf8.TimerEnqueueMs, message.StoreTimestampMs / WheelMs * WheelMs);
        properties.Set(MessagePropertyUtf8.TimerDequeueMs, nowMs);
    }

    /// <summary>For a message that is stored anew to wait on.</summary>
    /// <param name="deliverMs">When it is to be delivered: the record's own store time no longer tells.</param>
    public static void SetRoll(scoped ref MessagePropertiesEditor properties, long deliverMs)
    {
        long rolls = properties.TryFind(MessagePropertyUtf8.TimerRollTimes, out ReadOnlySpan<byte> digits)
            && Utf8Parser.TryParse(digits, out int earlier, out _) ? earlier : 0;
        properties.Set(MessagePropertyUtf8.TimerRollTimes, rolls + 1);
        properties.Set(MessagePropertyUtf8.TimerOutMs, deliverMs - 1);
    }
}
