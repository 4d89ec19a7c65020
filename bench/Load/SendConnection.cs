using GrayMQ.Protocol.Commands;

namespace GrayMQ.Load;

/// <summary>Sends messages to one queue.</summary>
internal sealed class SendConnection : LoadConnection
{
    private const int CodeAt = Frame.PrefixBytes;

    private readonly byte[] _frame;
    private readonly int _uniqueKeyAt;
    private uint _message;

    public SendConnection(LoadOptions options, int index)
        : base(options)
    {
        _frame = RequestTemplate.Send(
            options.SerializeType, options.Topic, index % options.Queues, options.BodyBytes, out _uniqueKeyAt);
        _message = (uint)index << 24;
    }

    protected override int AppendRequest(ref byte[] buffer, int length)
    {
        _message++;
        for (int i = 0; i < 8; i++)
        {
            _frame[_uniqueKeyAt + i] = "0123456789ABCDEF"u8[(int)(_message >> (28 - (4 * i))) & 0xF];
        }

        return Append(ref buffer, length, _frame);
    }

    protected override int Count(ReadOnlySpan<byte> frame) => IsSuccess(frame) ? 1 : -1;

    /// <summary>Does an answer say that the message was stored?</summary>
    public static bool IsSuccess(ReadOnlySpan<byte> frame) => frame[4] == (byte)SerializeType.RocketMq
        ? frame[CodeAt] == 0 && frame[CodeAt + 1] == 0
        : frame[CodeAt..].IndexOf("\"code\":0,"u8) >= 0;
}
