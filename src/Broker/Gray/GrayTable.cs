namespace GrayMQ.Broker.Gray;

/// <summary>
/// The state of gray that the broker acts on. Where nothing is gray, asking is one read of a null. Who reads messages for somebody
/// looks at <see cref="Stamp"/> before and after: if it is the same, no queue changed hands in between.
/// </summary>
internal sealed class GrayTable
{
    private volatile GrayView? _view;
    private volatile KeyOrder? _keyOrder;
    private volatile GraySkips? _skips;
    private int _stamp;

    /// <summary>Null where nothing is gray.</summary>
    public GrayView? View => _view;

    /// <summary>Null where no topic has messages of before it was switched on or off, as of the last look.</summary>
    public KeyOrder? KeyOrder
    {
        get => _keyOrder;
        set => _keyOrder = value;
    }

    /// <summary>Null where nothing is skipped of what a withdrawn side left.</summary>
    public GraySkips? Skips
    {
        get => _skips;
        set => _skips = value;
    }

    /// <summary>Grows whenever the view, or who owns a queue, changes.</summary>
    public int Stamp => Volatile.Read(ref _stamp);

    /// <summary>The group, where it has a release that is not over. Allocates nothing.</summary>
    public GrayGroup? FindGroup(ReadOnlySpan<byte> utf8Name) => _view?.FindGroup(utf8Name);

    /// <inheritdoc cref="FindGroup(ReadOnlySpan{byte})"/>
    public GrayGroup? FindGroup(string name) => _view?.FindGroup(name);

    /// <summary>From now on this is the state.</summary>
    public void Publish(GrayView? view)
    {
        _view = view;
        Changed();
    }

    /// <summary>A queue has changed hands, or is about to.</summary>
    public void Changed() => Interlocked.Increment(ref _stamp);
}
