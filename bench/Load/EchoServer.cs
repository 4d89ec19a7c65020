using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Transports;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Load;

/// <summary>
/// The yardstick: takes frames over the transport that the broker uses and answers each with a fixed frame, and does nothing else.
/// </summary>
internal static class EchoServer
{
    private const int LengthBytes = 4;

    public static async Task RunAsync(int port, int replyBytes, CancellationToken cancel)
    {
        byte[] reply = new byte[replyBytes];
        BinaryPrimitives.WriteInt32BigEndian(reply, replyBytes - LengthBytes);
        "{\"code\":0,"u8.CopyTo(reply.AsSpan(Frame.PrefixBytes));
        var transport = SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance);
        await using IConnectionListener listener = await transport.BindAsync(new IPEndPoint(IPAddress.Loopback, port), cancel);
        Console.WriteLine($"echo on {listener.EndPoint}, replies of {replyBytes} bytes");
        while (await listener.AcceptAsync(cancel) is { } connection)
        {
            _ = ServeAsync(connection, reply);
        }
    }

    private static async Task ServeAsync(ConnectionContext connection, byte[] reply)
    {
        await Task.Yield();
        await using (connection)
        {
            PipeReader input = connection.Transport.Input;
            try
            {
                while (true)
                {
                    ReadResult result = await input.ReadAsync();
                    ReadOnlySequence<byte> rest = Answer(result.Buffer, connection.Transport.Output, reply);
                    input.AdvanceTo(rest.Start, rest.End);
                    await connection.Transport.Output.FlushAsync();
                    if (result.IsCompleted)
                    {
                        return;
                    }
                }
            }
            catch (IOException)
            {
                // The load has gone.
            }
        }
    }

    private static ReadOnlySequence<byte> Answer(ReadOnlySequence<byte> buffer, PipeWriter output, byte[] reply)
    {
        Span<byte> length = stackalloc byte[LengthBytes];
        while (buffer.Length >= LengthBytes)
        {
            buffer.Slice(0, LengthBytes).CopyTo(length);
            long frame = LengthBytes + BinaryPrimitives.ReadInt32BigEndian(length);
            if (buffer.Length < frame)
            {
                break;
            }

            buffer = buffer.Slice(frame);
            output.Write(reply);
        }

        return buffer;
    }
}
