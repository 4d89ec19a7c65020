using System.Buffers.Binary;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// How far the timers are, as RocketMQ's file and its request 60 say it (RocketMQ: TimerCheckpoint).
/// <code>
///  0 lastReadTimeMs          8   everything due before is delivered
///  8 lastTimerLogFlushPos    8   0: there is no such log
/// 16 lastTimerQueueOffset    8   the timer topic is read up to here
/// 24 masterTimerQueueOffset  8   the same
/// 32 stateVersion, timestamp, counter   8 each, the version of this
/// </code>
/// </summary>
internal static class TimerCheck
{
    public const int Bytes = 7 * sizeof(long);

    public static void Write(Span<byte> destination, long queueOffset, long nowMs)
    {
        destination[..Bytes].Clear();
        BinaryPrimitives.WriteInt64BigEndian(destination, nowMs);
        BinaryPrimitives.WriteInt64BigEndian(destination[16..], queueOffset);
        BinaryPrimitives.WriteInt64BigEndian(destination[24..], queueOffset);
        BinaryPrimitives.WriteInt64BigEndian(destination[40..], nowMs);
    }
}
