using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Connections;

/// <summary>Buffers that nobody uses, for whichever thread needs one next.</summary>
internal sealed class BufferStack
{
    // More are left to the garbage collector.
    private const int Most = 256;

    private readonly Lock _lock = new();
    private readonly HeaderBuffer[] _buffers = new HeaderBuffer[Most];
    private int _count;

    public HeaderBuffer? TryPop()
    {
        lock (_lock)
        {
            return _count > 0 ? _buffers[--_count] : null;
        }
    }

    public void Push(HeaderBuffer buffer)
    {
        lock (_lock)
        {
            if (_count < Most)
            {
                _buffers[_count++] = buffer;
            }
        }
    }
}
