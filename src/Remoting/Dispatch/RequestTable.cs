using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>
/// Answers a request where it stands: for what is asked so often that copies of request and header, a few hundred bytes each, would be
/// worth noticing.
/// </summary>
public delegate ValueTask RequestHandler<THeader>(in RemotingRequest request, in THeader header);

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
        RequestCode code, Func<HeaderFields, THeader> read, Func<RemotingRequest, THeader, ValueTask> handle) =>
        On(code, read, InPlace(handle));

    /// <inheritdoc cref="On{THeader}(RequestCode, Func{HeaderFields, THeader}, Func{RemotingRequest, THeader, ValueTask})"/>
    public RequestTable On<THeader>(RequestCode code, Func<HeaderFields, THeader> read, RequestHandler<THeader> handle) =>
        Add(code, read, handle, onPool: false);

    /// <inheritdoc cref="On{THeader}(RequestCode, Func{HeaderFields, THeader}, Func{RemotingRequest, THeader, ValueTask})"/>
    public RequestTable On<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader> => On(code, THeader.Read, handle);

    /// <summary>
    /// Answers <paramref name="code"/> on the thread pool, with header and body of its own: for everything that takes time. Requests
    /// of one connection may overtake each other.
    /// </summary>
    public RequestTable OnPool<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader> => Add(code, THeader.Read, InPlace(handle), onPool: true);

    /// <summary>The handler of a code, for servers that have read its header from something else than a frame.</summary>
    /// <exception cref="ArgumentException">There is no handler, or it takes another header.</exception>
    public RequestHandler<THeader> HandlerOf<THeader>(RequestCode code) =>
        TryGet((int)code, out Entry entry) && entry.Typed is RequestHandler<THeader> handle
            ? handle
            : throw new ArgumentException($"{code} has no handler for {typeof(THeader).Name}", nameof(code));

    internal bool TryGet(int code, out Entry entry) => _entries.TryGetValue(code, out entry);

    // Every handler is kept in the one form, so that who asks for it is given what is there.
    private static RequestHandler<THeader> InPlace<THeader>(Func<RemotingRequest, THeader, ValueTask> handle) =>
        (in request, in header) => handle(request, header);

    private RequestTable Add<THeader>(RequestCode code, Func<HeaderFields, THeader> read, RequestHandler<THeader> handle, bool onPool)
    {
        _entries.Add((int)code, new Entry((in request) => handle(in request, read(request.Fields)), onPool, handle));
        return this;
    }

    internal delegate ValueTask Handling(in RemotingRequest request);

    internal readonly record struct Entry(Handling Handle, bool OnPool, Delegate Typed);
}
