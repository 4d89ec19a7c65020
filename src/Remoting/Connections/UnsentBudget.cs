namespace GrayMQ.Remoting.Connections;

/// <summary>
/// What may wait, over all connections of a server, for peers that do not read as fast as they are written to. One message can be
/// the answer to pulls of a thousand connections: their own limits alone would not bound the memory.
/// </summary>
internal sealed class UnsentBudget(long maxBytes)
{
    private long _bytes;

    /// <summary>Bytes that wait now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Counts bytes; false when that is too much, and whoever made them wait has to give up.</summary>
    public bool TryAdd(long bytes) => Interlocked.Add(ref _bytes, bytes) <= maxBytes;

    public void Subtract(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
