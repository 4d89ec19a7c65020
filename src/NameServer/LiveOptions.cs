namespace GrayMQ.NameServer;

/// <summary>The options in force, which an administrator may change while the server runs.</summary>
internal sealed class LiveOptions(NameServerOptions options)
{
    private NameServerOptions _current = options;
    private long _version;

    public NameServerOptions Current => Volatile.Read(ref _current);

    /// <summary>Goes up with every change, after <see cref="Current"/> has changed.</summary>
    public long Version => Volatile.Read(ref _version);

    public void Replace(NameServerOptions options)
    {
        Volatile.Write(ref _current, options);
        Interlocked.Increment(ref _version);
    }
}
