using System.Buffers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Turns what a handler answers into a command, as if it had come over a connection.</summary>
internal static class InnerAnswer
{
    private static readonly CommandLimits Limits = CommandLimits.Default with { MaxFrameBytes = int.MaxValue };

    private static readonly RemotingCommand Done = MakeDone();

    [ThreadStatic]
    private static HeaderBuffer? _header;

    public static RemotingCommand Make<THeader, TBody>(ResponseCode code, string? remark, in THeader header, in TBody body)
        where THeader : IHeaderFields, allows ref struct
        where TBody : IBodyWriter
    {
        int bodyLength = body.Length;
        if (typeof(THeader) == typeof(NoHeader) && code == ResponseCode.Success && remark is null && bodyLength == 0)
        {
            // That it is done is all there is to say, mostly.
            return Done;
        }

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

        return Decode(bytes, code);
    }

    private static RemotingCommand MakeDone()
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteResponse(buffer, SerializeType.RocketMq, ResponseCode.Success, opaque: 0, null, default(NoHeader), 0);
        return Decode(new ReadOnlySequence<byte>(buffer.Written.ToArray()), ResponseCode.Success);
    }

    private static RemotingCommand Decode(ReadOnlySequence<byte> bytes, ResponseCode code)
    {
        if (!Frame.TryRead(ref bytes, Limits, out Frame frame))
        {
            throw new InvalidOperationException($"the answer {code} is shorter than it says");
        }

        var answer = new RemotingCommand();
        answer.Decode(in frame, Limits);
        return answer;
    }
}
