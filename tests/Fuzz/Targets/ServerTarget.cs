using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A server with real connections: each input is sent over one of its own, cut into pieces, and left. Others are served all
/// the while, memory stays flat, no connection stays behind. Run for long, it is a million connections opened and left.
/// </summary>
internal sealed class ServerTarget : FuzzTarget
{
    private const int CheckEvery = 500;
    private const long MaxGrowthBytes = 32 * 1024 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly byte[] _request = MakeRequest();
    private RemotingServer? _server;
    private Socket? _good;
    private long _runs;
    private long _memoryBytes;

    public override string Name => "server";

    public override bool MeasuresAllocation => false;

    public override TimeSpan MaxDuration => TimeSpan.FromSeconds(5);

    public override IEnumerable<byte[]> Seeds() =>
        [.. Recorded.Frames(), [], [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], "GET / HTTP/1.1\r\n\r\n"u8.ToArray()];

    public override bool Run(byte[] input)
    {
        RemotingServer server = _server ??= StartAsync().GetAwaiter().GetResult();
        EndPoint address = server.EndPoints[0];
        _good ??= Connect(address);

        using (Socket socket = Connect(address))
        {
            try
            {
                foreach (ReadOnlyMemory<byte> piece in Sequences.Split(input))
                {
                    socket.Send(piece.Span);
                }

                if (input.Length % 3 != 0)
                {
                    socket.Shutdown(SocketShutdown.Send);
                    ReadToEnd(socket);
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                // Closed while it was still being sent to.
            }
        }

        AssertServed(_good);
        if (++_runs % CheckEvery == 0)
        {
            AssertFlat(server);
        }

        return true;
    }

    private static byte[] MakeRequest()
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, SerializeType.Json, RequestCode.QueryMessage, 1, oneWay: false, default(NoHeader), 0);
        return buffer.Written.ToArray();
    }

    private static async Task<RemotingServer> StartAsync()
    {
        var table = new RequestTable();
        foreach (RequestCode code in Enum.GetValues<RequestCode>().Distinct())
        {
            Func<RemotingRequest, NoHeader, ValueTask> echo = static (request, _) =>
            {
                request.Reply(request.Body.ToArray());
                return ValueTask.CompletedTask;
            };
            if ((int)code % 2 == 0)
            {
                table.On(code, echo);
            }
            else
            {
                table.OnPool(code, echo);
            }
        }

        var server = new RemotingServer(
            new RemotingServerOptions { EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)] },
            table,
            SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        await server.StartAsync().ConfigureAwait(false);
        return server;
    }

    private static Socket Connect(EndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)Timeout.TotalMilliseconds };
        socket.Connect(address);
        return socket;
    }

    private static void ReadToEnd(Socket socket)
    {
        Span<byte> buffer = stackalloc byte[4_096];
        while (socket.Receive(buffer) > 0)
        {
            // What is answered to mutated requests is for other targets to judge.
        }
    }

    private void AssertServed(Socket good)
    {
        good.Send(_request);
        byte[] length = new byte[sizeof(int)];
        Fill(good, length);
        byte[] answer = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        Fill(good, answer);
    }

    private static void Fill(Socket socket, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int read = socket.Receive(buffer);
            FindingException.Unless(read > 0, "a connection that did nothing wrong was closed");
            buffer = buffer[read..];
        }
    }

    private void AssertFlat(RemotingServer server)
    {
        FindingException.Unless(
            SpinWait.SpinUntil(() => server.ConnectionCount <= 1, Timeout), $"{server.ConnectionCount} connections stayed behind");
        FindingException.Unless(
            server.Connections.All(connection => connection.RequestsInFlight == 0), "requests stayed unanswered");
        long bytes = GC.GetTotalMemory(forceFullCollection: true);
        if (_memoryBytes == 0)
        {
            _memoryBytes = bytes;
        }

        FindingException.Unless(bytes - _memoryBytes < MaxGrowthBytes, $"memory grew from {_memoryBytes} to {bytes} bytes after {_runs} connections");
    }
}
