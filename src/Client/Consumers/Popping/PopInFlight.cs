using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// A message between its pop and its end: its handle changes with each renewal, so that whoever ends it has to wait for one that is
/// under way.
/// </summary>
internal sealed class PopInFlight(PoppedMessage popped, long poppedAt)
{
    private readonly Lock _lock = new();
    private Task _renewing = Task.CompletedTask;
    private bool _ended;

    public ReceivedMessage Message => popped.Message;

    public ReceiptHandle Handle { get; private set; } = popped.Handle;

    /// <summary>Timestamp of the pop, or of the renewal that succeeded last.</summary>
    public long VisibleSince { get; private set; } = poppedAt;

    /// <summary>Timestamp of the handler's call.</summary>
    public long HandlingSince { get; set; }

    /// <summary>Begins a renewal unless one is under way, or the message has come to its end.</summary>
    /// <param name="renew">Returns the new handle, or null when it failed.</param>
    /// <param name="now">The time that the new invisible time counts from at the latest.</param>
    public void Renew(Func<ReceiptHandle, Task<ReceiptHandle?>> renew, long now)
    {
        lock (_lock)
        {
            if (!_ended && _renewing.IsCompleted)
            {
                _renewing = RenewAsync(renew, now);
            }
        }
    }

    /// <summary>Lets no further renewal begin, and waits for the last: then the handle is good for an acknowledgement.</summary>
    public Task EndAsync()
    {
        lock (_lock)
        {
            _ended = true;
            return _renewing;
        }
    }

    private async Task RenewAsync(Func<ReceiptHandle, Task<ReceiptHandle?>> renew, long now)
    {
        if (await renew(Handle).ConfigureAwait(false) is { } handle)
        {
            Handle = handle;
            VisibleSince = now;
        }
    }
}
