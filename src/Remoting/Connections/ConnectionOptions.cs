using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Connections;

/// <summary>Limits of one connection.</summary>
public sealed record ConnectionOptions
{
    public static ConnectionOptions Default { get; } = new();

    public CommandLimits Commands { get; init; } = CommandLimits.Default;

    /// <summary>Requests that may wait for their answer at a time, parked ones included; one more is answered SYSTEM_BUSY.</summary>
    public int MaxRequestsInFlight { get; init; } = 16 * 1024;

    /// <summary>
    /// Bytes of the headers and bodies of requests that wait for, or are being carried out on, the thread pool; one more request there is
    /// answered SYSTEM_BUSY. At least the largest frame.
    /// </summary>
    public long MaxQueuedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes that may wait for a peer that does not read. No request is read while more than a few answers wait; what is
    /// answered from elsewhere meanwhile counts against this limit, and beyond it the connection is closed.
    /// </summary>
    public long MaxUnsentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>The same over all connections of a server or client; beyond it those are closed that are written to but do not read.</summary>
    public long MaxUnsentBytesOfAll { get; init; } = 512 * 1024 * 1024;
}
