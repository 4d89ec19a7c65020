namespace GrayMQ.Model;

/// <summary>What the model knows of one message and the group that pops it.</summary>
internal sealed class PoppedMessage(SentMessage sent)
{
    public SentMessage Sent => sent;

    /// <summary>The next delivery's reconsumeTimes: more than one number where a pop was not answered that may have delivered it.</summary>
    public int MinAttempts { get; private set; }

    public int MaxAttempts { get; private set; }

    /// <summary>Acked, and the broker said so: it must never come again.</summary>
    public bool IsAcked { get; private set; }

    /// <summary>Nobody knows whether an ack was taken: it may come again.</summary>
    public bool MayBeAcked { get; private set; }

    /// <summary>Among the dead letters: it must not come again.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Nobody else may get it before, by the broker's clock; 0 where it is not in hand.</summary>
    public long HiddenUntilMs { get; private set; }

    /// <summary>By which it can be acked; null where it is not in hand, or nobody knows.</summary>
    public Handle? Handle { get; private set; }

    /// <summary>Handles of earlier deliveries, which must have no effect any more.</summary>
    public List<Handle> OldHandles { get; } = [];

    public bool IsSettled => IsAcked || IsDead;

    /// <param name="storedMs">When the delivered message was stored, which may be while the pop that found it was under way.</param>
    public void Deliver(Handle handle, long storedMs, int reconsumeTimes, int maxAttempts)
    {
        long deliveredMs = Math.Max(handle.PopTimeMs, storedMs);
        Violation.Unless(!IsAcked, $"message {sent.Id} was delivered again by {handle} though it had been acked");
        Violation.Unless(!IsDead, $"message {sent.Id} was delivered again by {handle} though it is a dead letter");
        Violation.Unless(
            deliveredMs >= HiddenUntilMs,
            $"message {sent.Id} was delivered at {deliveredMs} though it was in hand until {HiddenUntilMs}, by {Handle}");
        Violation.Unless(
            deliveredMs >= sent.NotBeforeMs,
            $"message {sent.Id} was delivered at {deliveredMs}, {sent.NotBeforeMs - deliveredMs} ms too early");
        Violation.Unless(
            reconsumeTimes >= MinAttempts && reconsumeTimes <= Math.Min(MaxAttempts, maxAttempts),
            $"message {sent.Id} was delivered with reconsumeTimes {reconsumeTimes}, not {MinAttempts} to {MaxAttempts} (limit {maxAttempts})");
        Forget();
        MayBeAcked = false;
        MinAttempts = MaxAttempts = reconsumeTimes + 1;
        Handle = handle;
        HiddenUntilMs = handle.PopTimeMs + handle.InvisibleTimeMs;
    }

    /// <summary>A pop was not answered: it may have delivered this message once more.</summary>
    public void MayBeDelivered() => MaxAttempts++;

    public void Ack()
    {
        Forget();
        IsAcked = true;
        HiddenUntilMs = 0;
    }

    public void MayHaveAcked()
    {
        // The handle may be good still: it is not one of the old.
        Handle = null;
        MayBeAcked = true;
    }

    /// <summary>The broker says that it is not in hand any more: true between the end of its time and the next delivery.</summary>
    public void NotInHand(long nowMs, string what)
    {
        Violation.Unless(
            nowMs >= HiddenUntilMs,
            $"{what} of message {sent.Id} was refused at {nowMs} at the latest though it was in hand until {HiddenUntilMs}, by {Handle}");
        Forget();
    }

    public void Change(Handle handle)
    {
        Forget();
        Handle = handle;
        HiddenUntilMs = handle.PopTimeMs + handle.InvisibleTimeMs;
    }

    public void MayHaveChanged(long untilMs)
    {
        Handle = null;
        HiddenUntilMs = Math.Min(HiddenUntilMs, untilMs);
    }

    public void Die(int reconsumeTimes, int maxAttempts, long storedAtMs)
    {
        Violation.Unless(!IsAcked, $"message {sent.Id} is a dead letter though it had been acked");
        Violation.Unless(!IsDead, $"message {sent.Id} is a dead letter twice");
        Violation.Unless(
            reconsumeTimes == maxAttempts + 1 && MaxAttempts >= reconsumeTimes,
            $"message {sent.Id} is a dead letter with reconsumeTimes {reconsumeTimes}; it was delivered up to {MaxAttempts} times, of {maxAttempts + 1}");
        Violation.Unless(
            storedAtMs >= HiddenUntilMs,
            $"message {sent.Id} became a dead letter at {storedAtMs} though it was in hand until {HiddenUntilMs}");
        Forget();
        IsDead = true;
    }

    private void Forget()
    {
        if (Handle is { } old)
        {
            OldHandles.Add(old);
            Handle = null;
        }
    }
}
