using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>
/// Everything that is needed to answer a request, at once or later, from any thread: a value that may be kept after the
/// handler has returned. Each request is answered exactly once: a second answer is dropped, with a line in the log; a one-way
/// request's answer goes nowhere.
/// </summary>
public readonly record struct Responder(
    RemotingPeer Connection, RequestCode RequestCode, int Opaque, SerializeType SerializeType, bool IsOneWay)
{
    internal RequestTicket? Ticket { get; init; }

    internal int TicketNumber { get; init; }

    /// <summary>Answers with a code and, for people, a remark.</summary>
    public void Reply(ResponseCode code, string? remark = null) => Reply(code, remark, default(NoHeader), default(MemoryBody));

    /// <summary>Answers SUCCESS with header fields.</summary>
    public void Reply<THeader>(in THeader header)
        where THeader : IHeaderFields, allows ref struct => Reply(ResponseCode.Success, null, in header, default(MemoryBody));

    /// <summary>Answers SUCCESS with a body.</summary>
    public void Reply(ReadOnlyMemory<byte> body) => Reply(ResponseCode.Success, null, default(NoHeader), new MemoryBody(body));

    public void Reply<THeader>(ResponseCode code, string? remark, in THeader header)
        where THeader : IHeaderFields, allows ref struct => Reply(code, remark, in header, default(MemoryBody));

    public void Reply<THeader, TBody>(ResponseCode code, string? remark, in THeader header, in TBody body)
        where THeader : IHeaderFields, allows ref struct
        where TBody : IBodyWriter
    {
        // Told apart here, because a call of a generic method is much dearer where its class is open.
        bool first = Connection is RemotingConnection connection
            ? connection.Answer(in this, code, remark, in header, in body)
            : Connection.Answer(in this, code, remark, in header, in body);
        if (!first)
        {
            Connection.AnsweredTwice(in this);
        }
    }
}
