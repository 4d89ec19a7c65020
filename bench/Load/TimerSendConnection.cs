using System.Buffers.Text;

namespace GrayMQ.Load;

/// <summary>Sends a number of messages, each with the time of its delivery.</summary>
internal sealed class TimerSendConnection : LoadConnection
{
    private readonly byte[] _frame;
    private readonly int _uniqueKeyAt;
    private readonly int _timeAt;
    private readonly long _count;
    private readonly Func<long> _dueMs;
    private uint _message;
    private long _appended;

    public TimerSendConnection(LoadOptions options, int index, long count, Func<long> dueMs)
        : base(options)
    {
        _frame = RequestTemplate.SendAt(
            options.SerializeType, options.Topic, index % options.Queues, options.BodyBytes, out _uniqueKeyAt, out _timeAt);
        _message = (uint)index << 24;
        _count = count;
        _dueMs = dueMs;
        Measuring = true;
    }

    protected override int AppendRequest(ref byte[] buffer, int length)
    {
        _message++;
        for (int i = 0; i < 8; i++)
        {
            _frame[_uniqueKeyAt + i] = "0123456789ABCDEF"u8[(int)(_message >> (28 - (4 * i))) & 0xF];
        }

        Utf8Formatter.TryFormat(_dueMs(), _frame.AsSpan(_timeAt, RequestTemplate.TimeDigits), out _);
        Ending = ++_appended >= _count;
        return Append(ref buffer, length, _frame);
    }

    protected override int Count(ReadOnlySpan<byte> frame) => SendConnection.IsSuccess(frame) ? 1 : -1;
}
