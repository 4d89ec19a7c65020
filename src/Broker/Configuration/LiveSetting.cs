namespace GrayMQ.Broker.Configuration;

/// <summary>A setting that may change while the broker runs; reading it is one volatile read.</summary>
public sealed class LiveSetting<T>
    where T : notnull
{
    private volatile Box _box;

    internal LiveSetting(T value) => _box = new Box(value);

    public T Value
    {
        get => _box.Value;
        internal set => _box = new Box(value);
    }

    private sealed record Box(T Value);
}
