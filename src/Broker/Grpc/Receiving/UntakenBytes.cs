using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// What one call holds of the memory for messages that clients have yet to take: the messages as they are stored, until the call ends, and
/// what was written of them and has not gone, which is many times as much where bodies were unpacked.
/// </summary>
internal sealed class UntakenBytes : IDisposable
{
    /// <summary>Bytes that are handed over to a connection at a time.</summary>
    public const int FlushBytes = 64 * 1024;

    private readonly ByteBudget _budget;
    private readonly long _stored;
    private long _written;

    /// <param name="budget">Of all calls together.</param>
    /// <param name="stored">Bytes of the messages as they are stored.</param>
    public UntakenBytes(ByteBudget budget, long stored)
    {
        _budget = budget;
        _stored = stored;
        budget.TakeAnyway(stored);
    }

    /// <summary>Whether so much was written that it is to be handed over.</summary>
    public bool IsToBeFlushed => _written >= FlushBytes;

    /// <exception cref="MessagingException">Clients leave more unread than may be kept for them.</exception>
    public static void Check(ByteBudget budget)
    {
        if (budget.Free <= 0)
        {
            throw new MessagingException(V2.Code.TooManyRequests, "too many messages wait to be taken by their receivers");
        }
    }

    /// <summary>So many bytes were written.</summary>
    public void Add(int bytes)
    {
        _written += bytes;
        _budget.TakeAnyway(bytes);
    }

    /// <summary>What was written has gone.</summary>
    public void Flushed()
    {
        _budget.Give(_written);
        _written = 0;
    }

    public void Dispose()
    {
        _budget.Give(_stored);
        Flushed();
    }
}
