using Google.Protobuf.WellKnownTypes;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Durations as they come from outside, which may be anything.</summary>
internal static class Durations
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>What is longer than ten years is ten years, what is negative is nothing.</summary>
    public static TimeSpan Of(Duration duration)
    {
        double seconds = Math.Clamp(duration.Seconds, 0, Longest.TotalSeconds);
        return duration.Seconds < 0 || duration.Nanos < 0
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(seconds) + TimeSpan.FromMicroseconds(Math.Min(duration.Nanos, 999_999_999) / 1000);
    }

    /// <exception cref="MessagingException">Messages cannot be invisible for such a time.</exception>
    public static void CheckInvisible(TimeSpan invisible, TimeSpan least)
    {
        if (invisible < least)
        {
            throw new MessagingException(
                V2.Code.IllegalInvisibleTime, $"the invisibleTime is too small. min is {least.TotalMilliseconds}");
        }

        if (invisible > GrpcOptions.MaxInvisible)
        {
            throw new MessagingException(
                V2.Code.IllegalInvisibleTime, $"the invisibleTime is too large. max is {GrpcOptions.MaxInvisible.TotalMilliseconds}");
        }
    }
}
