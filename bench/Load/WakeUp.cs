using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Load;

/// <summary>
/// How long after a message was sent a pop that waits for it has it: from just before the send goes out to the last byte of the pop's
/// answer, so that the send's own way is in it.
/// </summary>
internal static class WakeUp
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    public static async Task<LatencyHistogram> RunAsync(LoadOptions options, int times, CancellationToken cancel)
    {
        var latency = new LatencyHistogram();
        using Socket consumer = await ConnectAsync(options, cancel);
        using Socket producer = await ConnectAsync(options, cancel);
        byte[] pop = RequestTemplate.Pop(options.SerializeType, options.Topic, 32, 60_000, pollMs: 15_000);
        byte[] send = RequestTemplate.Send(options.SerializeType, options.Topic, 0, options.BodyBytes, out _);
        var answer = new RemotingCommand();
        await AskAsync(producer, send, cancel);
        for (int got = 0; got < times;)
        {
            await consumer.SendAsync(pop, cancel);

            // Until the pop waits; one that finds something at once does not count.
            await Task.Delay(Pause, cancel);
            bool waited = consumer.Available == 0;
            long start = Stopwatch.GetTimestamp();
            Task sent = waited ? AskAsync(producer, send, cancel) : Task.CompletedTask;
            byte[] popped = await ReadAsync(consumer, cancel);
            long end = Stopwatch.GetTimestamp();
            await sent;
            answer.DecodeHeader(popped);
            if (waited && answer.ResponseCode == ResponseCode.Success)
            {
                latency.Add((end - start) * (1_000_000_000 / Stopwatch.Frequency));
                got++;
            }
        }

        return latency;
    }

    public static string Text(LatencyHistogram latency) => string.Create(
        CultureInfo.InvariantCulture,
        $"send to waiting pop: p50 {latency.PercentileMs(0.5):F3} ms, p99 {latency.PercentileMs(0.99):F3} ms, p99.9 {latency.PercentileMs(0.999):F3} ms");

    private static async Task<Socket> ConnectAsync(LoadOptions options, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(options.Broker, cancel);
        return socket;
    }

    private static async Task AskAsync(Socket socket, byte[] request, CancellationToken cancel)
    {
        await socket.SendAsync(request, cancel);
        await ReadAsync(socket, cancel);
    }

    private static async Task<byte[]> ReadAsync(Socket socket, CancellationToken cancel)
    {
        var frame = new byte[sizeof(int)];
        await ReadExactlyAsync(socket, frame, cancel);
        Array.Resize(ref frame, sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(frame));
        await ReadExactlyAsync(socket, frame.AsMemory(sizeof(int)), cancel);
        return frame;
    }

    private static async Task ReadExactlyAsync(Socket socket, Memory<byte> buffer, CancellationToken cancel)
    {
        while (!buffer.IsEmpty)
        {
            int read = await socket.ReceiveAsync(buffer, cancel);
            buffer = read > 0 ? buffer[read..] : throw new IOException("the broker closed the connection");
        }
    }
}
