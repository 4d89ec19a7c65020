using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// Whoever asks, as handlers see it: who it is, and how it is reached. Mostly a <see cref="RemotingConnection"/>; a server that
/// speaks another protocol besides has its clients ask the same handlers as peers of its own.
/// </summary>
public abstract class RemotingPeer
{
    public abstract IPEndPoint? RemoteEndPoint { get; }

    /// <summary>The same, as messages name it; empty where it is not known.</summary>
    public virtual MessageHost Host => HostOf(RemoteEndPoint);

    /// <summary>
    /// When the requests that are handled now came, or began to be handled where they had to wait, as <see cref="TimeProvider.GetTimestamp"/>
    /// counts; null where nobody looks at the clock then.
    /// </summary>
    public virtual long? HandledTimestamp => null;

    /// <summary>The peer itself, or the client that it asks for where it stands for no more than one request.</summary>
    public virtual RemotingPeer Client => this;

    /// <summary>What is known of the peer, bound to it for life. Any thread may read and write it.</summary>
    public abstract IFeatureCollection Features { get; }

    /// <summary>Whether nobody takes an answer any more.</summary>
    public abstract bool IsClosed { get; }

    /// <summary>Requests of the peer that have not been answered yet.</summary>
    public abstract int RequestsInFlight { get; }

    /// <summary>
    /// Has work done that can be done once for many requests: behind those that the calling thread is just reading, at once where it reads none.
    /// The answers that this thread gives to them leave behind it; if it fails, none of them does, and the connection ends.
    /// </summary>
    /// <param name="work">The same object each time.</param>
    public virtual void AfterBatch(IBatchWork work) => work.Run();

    /// <summary>Asks the peer and waits for its answer.</summary>
    /// <param name="body">Stays as it is until the task that is returned has ended.</param>
    /// <param name="timeout">Counts from the call.</param>
    /// <returns>The answer, whatever its code; it owns its header and body.</returns>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    /// <exception cref="ConnectionClosedException">The connection ended before the answer.</exception>
    public abstract Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default)
        where THeader : IHeaderFields;

    /// <summary>Sends a request that nobody answers; false when the peer is gone or has no use for it.</summary>
    public abstract bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json)
        where THeader : IHeaderFields;

    /// <summary>Ends the connection at once.</summary>
    public abstract void Abort(string reason);

    protected static MessageHost HostOf(IPEndPoint? endPoint) => endPoint is null ? default : MessageHost.From(endPoint);

    /// <summary>Takes the answer to a request.</summary>
    /// <returns>False when the request has been answered before.</returns>
    protected internal abstract bool Answer<THeader, TBody>(
        in Responder request, ResponseCode code, string? remark, in THeader header, in TBody body)
        where THeader : IHeaderFields, allows ref struct
        where TBody : IBodyWriter;

    /// <summary>A request was answered for the second time, which is a fault of its handler.</summary>
    protected internal abstract void AnsweredTwice(in Responder request);
}
