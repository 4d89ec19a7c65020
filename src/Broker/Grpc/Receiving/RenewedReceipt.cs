namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>A message whose invisible time the broker prolongs while its consumer is at work.</summary>
/// <param name="known">The receipt that the client has.</param>
internal sealed class RenewedReceipt(string known, string topic, string group, Receipt current, long takenMs)
{
    private readonly Lock _gate = new();
    private Task _renewing = Task.CompletedTask;
    private Receipt _current = current;
    private bool _isTaken;

    public string Known { get; } = known;

    public string Topic { get; } = topic;

    public string Group { get; } = group;

    /// <summary>When the client was given the message, milliseconds since 1970.</summary>
    public long TakenMs { get; } = takenMs;

    public int Renewals { get; private set; }

    /// <summary>When others would get it, milliseconds since 1970.</summary>
    public long VisibleMs => Volatile.Read(ref _current) is { } receipt ? receipt.PopTimeMs + receipt.InvisibleTimeMs : 0;

    /// <summary>The receipt that counts, once a renewal that is under way has ended; it is not renewed any more.</summary>
    public async ValueTask<Receipt> TakeAsync()
    {
        Task renewing;
        lock (_gate)
        {
            _isTaken = true;
            renewing = _renewing;
        }

        await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Volatile.Read(ref _current);
    }

    /// <summary>Has the receipt replaced by another one. Nothing happens while an earlier renewal is under way, or once it is taken.</summary>
    /// <param name="renew">Null when the message is not in hand any more.</param>
    /// <returns>Whether the message is still in hand.</returns>
    public Task<bool> RenewAsync(Func<Receipt, Task<Receipt?>> renew)
    {
        lock (_gate)
        {
            if (_isTaken || !_renewing.IsCompleted)
            {
                return Task.FromResult(true);
            }

            Task<bool> renewing = ReplaceAsync(renew);
            _renewing = renewing;
            return renewing;
        }
    }

    private async Task<bool> ReplaceAsync(Func<Receipt, Task<Receipt?>> renew)
    {
        if (await renew(_current).ConfigureAwait(false) is not { } renewed)
        {
            return false;
        }

        Volatile.Write(ref _current, renewed);
        Renewals++;
        return true;
    }
}
