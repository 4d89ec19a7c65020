namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>A message whose invisible time the broker prolongs while its consumer is at work. The receipt that the client has stays the one that counts.</summary>
/// <param name="known">The receipt as the client has it.</param>
internal sealed class RenewedReceipt(string known, string topic, string group, Receipt receipt, long takenMs)
{
    private long _visibleMs = receipt.PopTimeMs + receipt.InvisibleTimeMs;

    public string Known { get; } = known;

    public string Topic { get; } = topic;

    public string Group { get; } = group;

    public Receipt Receipt { get; } = receipt;

    /// <summary>When the client was given the message, milliseconds since 1970.</summary>
    public long TakenMs { get; } = takenMs;

    public int Renewals { get; private set; }

    /// <summary>When others would get it, milliseconds since 1970.</summary>
    public long VisibleMs => Volatile.Read(ref _visibleMs);

    /// <summary>Its time was prolonged; told by one at a time.</summary>
    public void Prolonged(long visibleMs)
    {
        Renewals++;
        Volatile.Write(ref _visibleMs, visibleMs);
    }
}
