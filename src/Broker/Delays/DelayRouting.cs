using System.Buffers.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Finds out whether a message is to be delivered later, and has it stored where delayed messages wait: those with a level in
/// SCHEDULE_TOPIC_XXXX, those with a time in rmq_sys_wheel_timer, both with the topic and queue that they are meant for in their
/// properties (RocketMQ: HookUtils.handleScheduleMessage). To be asked for each message that may carry such properties: sends, retries,
/// committed transactions.
/// </summary>
internal sealed class DelayRouting(DelayOptions options, TopicTable topics, TimeProvider time)
{
    /// <summary>The route of a message, whose properties are changed to what has to be stored with it.</summary>
    /// <param name="topic">The topic that it is meant for.</param>
    /// <param name="queueId">The queue that it is meant for.</param>
    /// <param name="properties">As they would be stored in that topic.</param>
    /// <exception cref="RemotingException">It cannot be delayed as it asks to be.</exception>
    public DelayRoute Route(Topic topic, int queueId, scoped ref MessagePropertiesEditor properties)
    {
        if (TryReadNumber(in properties, MessagePropertyUtf8.DelayTimeLevel, out long level) && level > 0)
        {
            return RouteToLevel(topic, queueId, level, ref properties);
        }

        // What was delivered once and is sent again with all of its properties is not delayed again.
        return properties.Contains(MessagePropertyUtf8.TimerOutMs) || !HasTime(in properties)
            ? new DelayRoute(topic, queueId)
            : RouteToTime(topic, queueId, ref properties);
    }

    private DelayRoute RouteToLevel(Topic topic, int queueId, long level, scoped ref MessagePropertiesEditor properties)
    {
        properties.Remove(MessagePropertyUtf8.TimerDeliverMs);
        properties.Remove(MessagePropertyUtf8.TimerDelaySeconds);
        properties.Remove(MessagePropertyUtf8.TimerDelayMs);
        if (level > options.Levels.Max)
        {
            level = options.Levels.Max;
            properties.Set(MessagePropertyUtf8.DelayTimeLevel, level);
        }

        SetTarget(topic, queueId, ref properties);
        return new DelayRoute(Find(TopicNames.Schedule), (int)level - 1);
    }

    private DelayRoute RouteToTime(Topic topic, int queueId, scoped ref MessagePropertiesEditor properties)
    {
        if (!options.TimesEnabled)
        {
            throw new RemotingException(
                ResponseCode.SystemError, "accurate timer message is not enabled, timerWheelEnable is false");
        }

        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (!TryReadTime(in properties, nowMs, out long deliverMs) || deliverMs - nowMs > options.MaxDelaySeconds * 1000L)
        {
            throw Illegal();
        }

        if (deliverMs <= nowMs)
        {
            return properties.Contains(MessagePropertyUtf8.TimerDeleteUniqueKey) ? throw Illegal() : new DelayRoute(topic, queueId);
        }

        // The slot of RocketMQ's wheel: it is delivered from when it is over.
        long outMs = deliverMs % options.PrecisionMs == 0
            ? deliverMs - options.PrecisionMs
            : deliverMs / options.PrecisionMs * options.PrecisionMs;
        properties.Set(MessagePropertyUtf8.TimerOutMs, outMs);
        SetTarget(topic, queueId, ref properties);
        return new DelayRoute(Find(TopicNames.WheelTimer), 0, topic.IsRetry ? 0 : outMs + 1);
    }

    private static void SetTarget(Topic topic, int queueId, scoped ref MessagePropertiesEditor properties)
    {
        properties.Set(MessagePropertyUtf8.RealTopic, topic.NameUtf8.Span);
        properties.Set(MessagePropertyUtf8.RealQueueId, queueId);
        properties.Remove(GrayAcceptance.PropertyName);
    }

    private Topic Find(string name) =>
        topics.Find(name) ?? throw new RemotingException(ResponseCode.SystemError, $"the topic[{name}] of the broker is missing");

    private RemotingException Illegal() => new(
        ResponseCode.MessageIllegal,
        $"timer message illegal, the delay time should not be bigger than the max delay {options.MaxDelaySeconds * 1000L}ms; "
        + "or if set del msg, the delay time should be bigger than the current time");

    private static bool HasTime(in MessagePropertiesEditor properties) =>
        properties.Contains(MessagePropertyUtf8.TimerDeliverMs)
        || properties.Contains(MessagePropertyUtf8.TimerDelayMs)
        || properties.Contains(MessagePropertyUtf8.TimerDelaySeconds);

    // The first of the three counts; what it says counts even if it is no number. Delays beyond reason must not come out as the past.
    private static bool TryReadTime(in MessagePropertiesEditor properties, long nowMs, out long deliverMs)
    {
        deliverMs = 0;
        if (properties.Contains(MessagePropertyUtf8.TimerDelaySeconds))
        {
            return TryReadNumber(in properties, MessagePropertyUtf8.TimerDelaySeconds, out long seconds)
                && TryAdd(nowMs, seconds, 1000, out deliverMs);
        }

        if (properties.Contains(MessagePropertyUtf8.TimerDelayMs))
        {
            return TryReadNumber(in properties, MessagePropertyUtf8.TimerDelayMs, out long ms) && TryAdd(nowMs, ms, 1, out deliverMs);
        }

        return TryReadNumber(in properties, MessagePropertyUtf8.TimerDeliverMs, out deliverMs);
    }

    private static bool TryAdd(long nowMs, long count, long unitMs, out long deliverMs)
    {
        bool sane = count <= int.MaxValue * 1000L && count >= -int.MaxValue * 1000L;
        deliverMs = sane ? nowMs + (count * unitMs) : 0;
        return sane;
    }

    private static bool TryReadNumber(in MessagePropertiesEditor properties, ReadOnlySpan<byte> name, out long value)
    {
        value = 0;
        return properties.TryFind(name, out ReadOnlySpan<byte> digits)
            && Utf8Parser.TryParse(digits, out value, out int read)
            && read == digits.Length;
    }
}
