using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>
/// What a side of a connection answers: each request code with the header that it reads and the handler that answers it. A code
/// without an entry is answered REQUEST_CODE_NOT_SUPPORTED.
/// </summary>
public sealed class RequestTable
{
    private readonly Dictionary<int, Entry> _entries = [];

    /// <summary>The codes that have a handler.</summary>
    public IEnumerable<RequestCode> Codes => _entries.Keys.Select(code => (RequestCode)code);

    /// <summary>
    /// Answers <paramref name="code"/> on the connection's read loop. For handlers that neither block nor compute for long: what
    /// they do delays the requests behind them on the same connection.
    /// </summary>
    public RequestTable On<THeader>(
        RequestCode code, Func<HeaderFields, THeader> read, Func<RemotingRequest, THeader, ValueTask> handle)
    {
        _entries.Add((int)code, new Entry(request => handle(request, read(request.Fields)), OnPool: false, handle));
        return this;
    }

    /// <inheritdoc cref="On{THeader}(RequestCode, Func{HeaderFields, THeader}, Func{RemotingRequest, THeader, ValueTask})"/>
    public RequestTable On<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader> => On(code, THeader.Read, handle);

    /// <summary>
    /// Answers <paramref name="code"/> on the thread pool, with header and body of its own: for everything that takes time. Requests
    /// of one connection may overtake each other.
    /// </summary>
    public RequestTable OnPool<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader>
    {
        _entries.Add((int)code, new Entry(request => handle(request, THeader.Read(request.Fields)), OnPool: true, handle));
        return this;
    }

    /// <summary>The handler of a code, for servers that have read its header from something else than a frame.</summary>
    /// <exception cref="ArgumentException">There is no handler, or it takes another header.</exception>
    public Func<RemotingRequest, THeader, ValueTask> HandlerOf<THeader>(RequestCode code) =>
        TryGet((int)code, out Entry entry) && entry.Typed is Func<RemotingRequest, THeader, ValueTask> handle
            ? handle
            : throw new ArgumentException($"{code} has no handler for {typeof(THeader).Name}", nameof(code));

    internal bool TryGet(int code, out Entry entry) => _entries.TryGetValue(code, out entry);

    internal readonly record struct Entry(Func<RemotingRequest, ValueTask> Handle, bool OnPool, Delegate Typed);
}
