using Google.Protobuf;

namespace GrayMQ.Grpc.Calls;

/// <summary>
/// What a server answers: each method, by its path, with the messages that it takes and gives and the handler that answers it. A
/// path without an entry is answered UNIMPLEMENTED.
/// </summary>
public sealed class MethodTable
{
    private readonly Dictionary<string, Func<GrpcCall, Task>> _methods = new(StringComparer.Ordinal);

    /// <summary>The paths that have a handler: <c>/package.Service/Method</c>.</summary>
    public IEnumerable<string> Paths => _methods.Keys;

    /// <summary>A method with one request and one answer. The answer is given up when the deadline comes first.</summary>
    public MethodTable Unary<TRequest, TResponse>(string path, Func<GrpcCall, TRequest, ValueTask<TResponse>> handle)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>
    {
        var parser = new MessageParser<TRequest>(static () => new TRequest());
        _methods.Add(path, async call =>
        {
            TRequest request = await call.ReadOnlyAsync(parser).ConfigureAwait(false);
            TResponse response = await call.WithinDeadlineAsync(handle(call, request)).ConfigureAwait(false);
            call.Write(response);
        });
        return this;
    }

    /// <summary>A method with one request and any number of answers, which the handler writes.</summary>
    public MethodTable ServerStreaming<TRequest>(string path, Func<GrpcCall, TRequest, Task> handle)
        where TRequest : class, IMessage<TRequest>, new()
    {
        var parser = new MessageParser<TRequest>(static () => new TRequest());
        _methods.Add(path, async call =>
        {
            TRequest request = await call.ReadOnlyAsync(parser).ConfigureAwait(false);
            await handle(call, request).ConfigureAwait(false);
        });
        return this;
    }

    /// <summary>A method in which both sides send any number of messages; the handler reads them by the parser.</summary>
    public MethodTable Duplex<TRequest>(string path, Func<GrpcCall, MessageParser<TRequest>, Task> handle)
        where TRequest : class, IMessage<TRequest>, new()
    {
        var parser = new MessageParser<TRequest>(static () => new TRequest());
        _methods.Add(path, call => handle(call, parser));
        return this;
    }

    internal Func<GrpcCall, Task>? Find(string path) => _methods.GetValueOrDefault(path);
}
