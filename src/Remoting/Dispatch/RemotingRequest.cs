using System.Buffers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>
/// A request as its handler sees it. <see cref="Body"/> and whatever the header took from
/// <see cref="HeaderFields"/> as memory live in the connection's buffers: they are valid until the handler returns or first
/// awaits (handlers registered with <see cref="RequestTable.OnPool"/> own theirs). <see cref="Responder"/> may be kept.
/// </summary>
public readonly record struct RemotingRequest(
    Responder Responder, LanguageCode Language, short Version, HeaderFields Fields, ReadOnlySequence<byte> Body)
{
    public RemotingPeer Connection => Responder.Connection;

    public RequestCode Code => Responder.RequestCode;

    public bool IsOneWay => Responder.IsOneWay;

    public void Reply(ResponseCode code, string? remark = null) => Responder.Reply(code, remark);

    public void Reply<THeader>(in THeader header)
        where THeader : IHeaderFields, allows ref struct => Responder.Reply(in header);

    public void Reply(ReadOnlyMemory<byte> body) => Responder.Reply(body);
}
