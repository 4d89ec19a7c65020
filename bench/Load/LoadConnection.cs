using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;

namespace GrayMQ.Load;

/// <summary>
/// One connection of the load: keeps a number of requests in flight, sending as many new ones as answers came in. Answers are
/// taken to come in order unless <see cref="SentAt"/> knows better, which is right for the latency of a window as a whole.
/// </summary>
internal abstract class LoadConnection(LoadOptions options) : LoadClient
{
    private const int LengthBytes = 4;
    private const int ReceiveBytes = 512 * 1024;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly long[] _sentAt = new long[options.InFlight];
    private long _sent;
    private long _received;

    public override async Task RunAsync(CancellationToken cancel)
    {
        await _socket.ConnectAsync(options.Broker, cancel);
        byte[] receive = new byte[ReceiveBytes];
        byte[] send = [];
        int there = 0;
        int due = options.InFlight;
        while (true)
        {
            int length = 0;
            while (due > 0 && !Ending && AppendRequest(ref send, length) is int longer && longer > length)
            {
                length = longer;
                due--;
                _sentAt[_sent++ % options.InFlight] = Stopwatch.GetTimestamp();
            }

            if (length > 0)
            {
                await SendAllAsync(send.AsMemory(0, length), cancel);
            }
            else if (_received == _sent)
            {
                return;
            }

            if (there == receive.Length)
            {
                Array.Resize(ref receive, receive.Length * 2);
            }

            int read = await _socket.ReceiveAsync(receive.AsMemory(there), cancel);
            if (read == 0)
            {
                throw new IOException($"{options.Broker} closed the connection");
            }

            there += read;
            int consumed = 0;
            while (there - consumed >= LengthBytes)
            {
                int frame = LengthBytes + BinaryPrimitives.ReadInt32BigEndian(receive.AsSpan(consumed));
                if (there - consumed < frame)
                {
                    break;
                }

                Take(receive.AsSpan(consumed, frame));
                consumed += frame;
                due++;
            }

            receive.AsSpan(consumed, there - consumed).CopyTo(receive);
            there -= consumed;
        }
    }

    public override void Dispose() => _socket.Dispose();

    /// <summary>
    /// Writes one more request behind the first <paramref name="length"/> bytes; returns the new length, or the same when the next request has
    /// to wait for an answer.
    /// </summary>
    protected abstract int AppendRequest(ref byte[] buffer, int length);

    /// <summary>When the request of an answer was sent; asked before <see cref="Count"/>.</summary>
    /// <param name="frame">The answer.</param>
    /// <param name="inTurn">When it was sent if answers come in order.</param>
    protected virtual long SentAt(ReadOnlySpan<byte> frame, long inTurn) => inTurn;

    /// <summary>Looks at an answer.</summary>
    /// <returns>The messages that it stands for; negative when it is an error.</returns>
    protected abstract int Count(ReadOnlySpan<byte> frame);

    protected static int Append(ref byte[] buffer, int length, ReadOnlySpan<byte> bytes)
    {
        if (buffer.Length < length + bytes.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
        }

        bytes.CopyTo(buffer.AsSpan(length));
        return length + bytes.Length;
    }

    private void Take(ReadOnlySpan<byte> frame)
    {
        long sentAt = SentAt(frame, _sentAt[_received++ % options.InFlight]);
        Record(sentAt, Count(frame));
    }

    private async Task SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancel)..];
        }
    }
}
