using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Timers;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Tells of pending messages: GET_TIMER_CHECK_POINT (60) and GET_TIMER_METRICS (61), with which RocketMQ's brokers ask each other, and
/// SHOW_TIMERS (30020) for the command line.
/// </summary>
internal sealed class TimerQueryHandler(TimerStore timers, TimerDelivery delivery, MessageStore store, TimeProvider time)
{
    public ValueTask CheckPointAsync(RemotingRequest request, NoHeader header)
    {
        byte[] body = new byte[TimerCheck.Bytes];
        TimerCheck.Write(body, store.FindQueue(TopicNames.WheelTimer, 0)?.MaxOffset ?? 0, Math.Min(NowMs(), FirstDueMs()));
        request.Reply(body);
        return ValueTask.CompletedTask;
    }

    public ValueTask MetricsAsync(RemotingRequest request, NoHeader header)
    {
        long nowMs = NowMs();
        request.Reply(BodyCodec.Encode(new TimerMetricsSerializeWrapper
        {
            DataVersion = new DataVersion(0, 0, nowMs),
            TimingCount = timers.Counts().ByTopic.ToDictionary(
                item => item.Key, item => new TimerMetric { Count = item.Value, TimeStamp = nowMs }),
        }));
        return ValueTask.CompletedTask;
    }

    public ValueTask ShowAsync(RemotingRequest request, NoHeader header)
    {
        (IReadOnlyDictionary<string, long> byTopic, IReadOnlyDictionary<int, long> byLevel) = timers.Counts();
        long firstDueMs = FirstDueMs();
        request.Reply(BodyCodec.Encode(new PendingTimers
        {
            Now = NowMs(),
            Total = byLevel.Values.Sum(),
            ByTopic = byTopic.ToDictionary(),
            ByLevel = byLevel.ToDictionary(),
            NextDue = firstDueMs == long.MaxValue ? -1 : firstDueMs,
            Delivered = delivery.Delivered,
        }));
        return ValueTask.CompletedTask;
    }

    private long FirstDueMs() => timers.FirstPendingDueMs();

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
