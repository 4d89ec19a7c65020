namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The right to answer one request once. Tickets are used again under a new number, so an answer that comes a second time, or
/// long after, finds its number gone.
/// </summary>
internal sealed class RequestTicket : FreeListNode<RequestTicket>
{
    private int _number;

    /// <summary>The number under which the ticket is valid now.</summary>
    public int Number => Volatile.Read(ref _number);

    /// <summary>True for the first who asks with the valid number; it is no longer valid then.</summary>
    public bool TryUse(int number) => Interlocked.CompareExchange(ref _number, unchecked(number + 1), number) == number;
}
