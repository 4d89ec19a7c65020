namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// The messages in one client's hands whose invisible time the broker prolongs, each known by the receipt that the client has.
/// </summary>
internal sealed class RenewedReceipts
{
    // A client that has more in hand does not work on them.
    private const int MaxReceipts = 65_536;

    private readonly Dictionary<string, RenewedReceipt> _receipts = new(StringComparer.Ordinal);

    /// <summary>False when there are too many: the message comes again when its time is up.</summary>
    public bool TryAdd(RenewedReceipt receipt)
    {
        lock (_receipts)
        {
            return _receipts.Count < MaxReceipts && _receipts.TryAdd(receipt.Known, receipt);
        }
    }

    /// <summary>Takes one out, for it is acked or given back; null when it is none of these.</summary>
    public RenewedReceipt? Take(string known)
    {
        lock (_receipts)
        {
            return _receipts.Remove(known, out RenewedReceipt? receipt) ? receipt : null;
        }
    }

    public IReadOnlyList<RenewedReceipt> TakeAll()
    {
        lock (_receipts)
        {
            RenewedReceipt[] all = [.. _receipts.Values];
            _receipts.Clear();
            return all;
        }
    }

    /// <summary>Those that become visible before a time, ms since 1970.</summary>
    public IReadOnlyList<RenewedReceipt> DueBefore(long timeMs)
    {
        lock (_receipts)
        {
            return [.. _receipts.Values.Where(receipt => receipt.VisibleMs < timeMs)];
        }
    }
}
