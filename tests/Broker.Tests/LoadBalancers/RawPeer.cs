using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.LoadBalancers;

/// <summary>A client that says from which address it connects, and what it sends first.</summary>
internal sealed class RawPeer : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private RawPeer(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket);
    }

    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <param name="from">An address of this machine: all of 127.0.0.0/8 are.</param>
    public static async Task<RawPeer> ConnectAsync(IPEndPoint to, string from, byte[]? first = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(to);
        var peer = new RawPeer(socket);
        await peer._stream.WriteAsync(first);
        return peer;
    }

    public async Task<RemotingCommand> AskAsync<THeader>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, SerializeType.Json, code, opaque: 1, oneWay: false, in header, body?.Length ?? 0);
        await _stream.WriteAsync(buffer.Written.ToArray());
        await _stream.WriteAsync(body);

        using var deadline = new CancellationTokenSource(Timeout);
        byte[] length = new byte[4];
        await _stream.ReadExactlyAsync(length, deadline.Token);
        byte[] frame = [.. length, .. new byte[BinaryPrimitives.ReadInt32BigEndian(length)]];
        await _stream.ReadExactlyAsync(frame.AsMemory(4), deadline.Token);
        var bytes = new ReadOnlySequence<byte>(frame);
        Assert.True(Frame.TryRead(ref bytes, CommandLimits.Default, out Frame read));
        var answer = new RemotingCommand();
        answer.Decode(in read, CommandLimits.Default);
        return answer;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }
}
