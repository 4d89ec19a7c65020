using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Load;

/// <summary>Finds out what a run has to know beforehand.</summary>
internal static class Probe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of the answer to a send; makes the topic on the way.</summary>
    public static async Task<int> ReplyBytesAsync(LoadOptions options, CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(options.Broker, cancel);
        byte[] request = RequestTemplate.Send(options.SerializeType, options.Topic, 0, options.BodyBytes, out _);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(request, cancel);
        byte[] length = new byte[4];
        await stream.ReadExactlyAsync(length, cancel);
        byte[] answer = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await stream.ReadExactlyAsync(answer, cancel);
        return length.Length + answer.Length;
    }

    public static async Task WaitForListenerAsync(int port, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Patience);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), limited.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), limited.Token);
            }
        }
    }
}
