using GrayMQ.Broker.Serving;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Holds a broker in the middle of a change of hands: its boundary is decided, which is when the broker logs it, but not on disk, and not in
/// force.
/// </summary>
internal sealed class HeldHandover : EventLog
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _released = new(initialState: true);
    private volatile bool _isHolding;

    /// <summary>The next handover that begins is held.</summary>
    public void Arm() => _released.Reset();

    public Task HeldAsync() => Eventually.TrueAsync(() => _isHolding, "a handover is held");

    public void Release() => _released.Set();

    // Whoever is held goes on: the broker is disposed of after a test that has failed, too.
    public override void Dispose()
    {
        _released.Set();
        _released.Dispose();
        base.Dispose();
    }

    protected override void OnEvent(string name, string text)
    {
        if (name == "HandoverBegun" && !_released.IsSet)
        {
            _isHolding = true;
            _released.Wait(Longest);
            _isHolding = false;
        }
    }
}
