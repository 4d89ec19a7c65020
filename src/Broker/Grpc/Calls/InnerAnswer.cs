using System.Buffers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Turns what a handler answers into a command, as if it had come over a connection.</summary>
internal static class InnerAnswer
{
    private static readonly CommandLimits Limits = CommandLimits.Default with { MaxFrameBytes = int.MaxValue };

    [ThreadStatic]
    private static HeaderBuffer? _header;

    public static RemotingCommand Make<THeader, TBody>(ResponseCode code, string? remark, in THeader header, in TBody body)
        where THeader : IHeaderFields, allows ref struct
        where TBody : IBodyWriter
    {
        int bodyLength = body.Length;
        HeaderBuffer buffer = _header ??= new HeaderBuffer();
        CommandWriter.WriteResponse(buffer, SerializeType.RocketMq, code, opaque: 0, remark, in header, bodyLength);
        ReadOnlySequence<byte> bytes;
        if (bodyLength == 0)
        {
            bytes = new ReadOnlySequence<byte>(buffer.Written.ToArray());
        }
        else
        {
            var whole = new ArrayBufferWriter<byte>(buffer.Length + bodyLength);
            whole.Write(buffer.Written);
            body.WriteTo(whole);
            bytes = new ReadOnlySequence<byte>(whole.WrittenMemory);
        }

        if (!Frame.TryRead(ref bytes, Limits, out Frame frame))
        {
            throw new InvalidOperationException($"the answer {code} is shorter than it says");
        }

        var answer = new RemotingCommand();
        answer.Decode(in frame, Limits);
        return answer;
    }
}
