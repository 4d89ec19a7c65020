namespace GrayMQ.Broker.Clients;

/// <summary>One client of a producer group.</summary>
public sealed class ProducerClient
{
    private long _lastHeartbeatMs;

    internal ProducerClient(ClientSession session, long nowMs)
    {
        Session = session;
        _lastHeartbeatMs = nowMs;
    }

    public ClientSession Session { get; }

    /// <summary>Whether the client said in its last heartbeat that it is gray; null when it said nothing.</summary>
    public bool? GrayFlag { get; internal set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long LastHeartbeatMs => Volatile.Read(ref _lastHeartbeatMs);

    internal void Heard(long nowMs) => Volatile.Write(ref _lastHeartbeatMs, nowMs);
}
