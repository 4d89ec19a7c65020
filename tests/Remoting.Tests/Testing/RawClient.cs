using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>A peer that sends whatever bytes it likes.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Stream _stream;

    private RawClient(Socket socket, Stream stream)
    {
        Socket = socket;
        _stream = stream;
    }

    public Socket Socket { get; }

    public static async Task<RawClient> ConnectAsync(EndPoint server, Func<Stream, Task<Stream>>? over = null, int? receiveBytes = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes is int bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(server);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        return new RawClient(socket, over is null ? stream : await over(stream));
    }

    public static byte[] Request(
        RequestCode code, int opaque, int number = 0, SerializeType type = SerializeType.Json, bool oneWay = false, byte[]? body = null)
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, type, code, opaque, oneWay, new TestHeader(number), body?.Length ?? 0);
        return [.. buffer.Written, .. body ?? []];
    }

    public static byte[] JsonFrame(string header)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] frame = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, 4 + text.Length);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), text.Length);
        text.CopyTo(frame, 8);
        return frame;
    }

    public async Task SendAsync(params byte[][] parts)
    {
        foreach (byte[] part in parts)
        {
            await _stream.WriteAsync(part);
            await _stream.FlushAsync();
        }
    }

    /// <summary>The next frame; null when the server has closed the connection.</summary>
    public async Task<RemotingCommand?> ReadAsync()
    {
        byte[] length = new byte[4];
        if (!await FillAsync(length))
        {
            return null;
        }

        byte[] frame = new byte[4 + BinaryPrimitives.ReadInt32BigEndian(length)];
        length.CopyTo(frame, 0);
        if (!await FillAsync(frame.AsMemory(4)))
        {
            return null;
        }

        var bytes = new ReadOnlySequence<byte>(frame);
        Assert.True(Frame.TryRead(ref bytes, CommandLimits.Default, out Frame read));
        var command = new RemotingCommand();
        command.Decode(in read, CommandLimits.Default);
        return command;
    }

    public async Task<RemotingCommand> ReadAnswerAsync()
    {
        RemotingCommand? command = await ReadAsync();
        Assert.NotNull(command);
        return command;
    }

    /// <summary>False when the server has closed the connection.</summary>
    public Task<bool> ReadByteAsync() => FillAsync(new byte[1]);

    public void Dispose() => _stream.Dispose();

    private async Task<bool> FillAsync(Memory<byte> buffer)
    {
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        try
        {
            await _stream.ReadExactlyAsync(buffer, deadline.Token);
            return true;
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            return false;
        }
    }
}
