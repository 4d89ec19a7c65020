using System.Buffers.Binary;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Connections;

/// <summary>Requests over a real connection make no garbage: measured over the whole process, client included.</summary>
[Collection(nameof(Alone))]
public class AllocationTests
{
    private const int Requests = 100_000;

    // Their answers fit one block of the transport's memory: for several the framework's sockets make two arrays per send.
    private const int AtOnce = 16;

    // What the runtime itself allocates meanwhile: thread-pool growth, tiered compilation, timers.
    private const long NoiseBytes = 100_000;

    private static ReadOnlyMemory<byte> Body { get; } = new byte[50];

    [Theory]
    [InlineData(SerializeType.Json, false)]
    [InlineData(SerializeType.RocketMq, false)]
    [InlineData(SerializeType.Json, true)]
    public async Task Requests_SteadyState_AllocateNothing(SerializeType type, bool late)
    {
        RequestTable table = new RequestTable().On<Numbers>(Tables.Echo, Answer);
        var pending = new PendingHandler();
        table.On<Numbers>(Tables.Park, (request, header) => pending.Start(request.Responder, header));
        await using TestServer server = await TestServer.StartAsync(table);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        // A socket that was once used asynchronously makes garbage for each call that blocks.
#pragma warning disable CA1849
        socket.Connect(server.EndPoint);
#pragma warning restore CA1849

        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, type, late ? Tables.Park : Tables.Echo, 7, oneWay: false, new Numbers(1, 2), 100);
        byte[] frame = [.. buffer.Written, .. new byte[100]];
        byte[] batch = [.. Enumerable.Repeat(frame, late ? 1 : AtOnce).SelectMany(bytes => bytes)];
        byte[] received = new byte[256 * 1024];
        int perBatch = late ? 1 : AtOnce;
        int requests = late ? Requests / 5 : Requests;

        void Run(int count)
        {
            for (int sent = 0; sent < count; sent += perBatch)
            {
                socket.Send(batch);
                int there = 0;
                int answers = 0;
                int at = 0;
                while (answers < perBatch)
                {
                    there += socket.Receive(received, there, received.Length - there, SocketFlags.None);
                    while (there - at >= 4 && there - at >= 4 + BinaryPrimitives.ReadInt32BigEndian(received.AsSpan(at)))
                    {
                        at += 4 + BinaryPrimitives.ReadInt32BigEndian(received.AsSpan(at));
                        answers++;
                    }
                }
            }
        }

        Run(requests / 4);
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3 && least > NoiseBytes; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Run(requests);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{least} bytes for {requests} requests");
        Assert.True(least <= NoiseBytes, $"{least} bytes for {requests} requests: {(double)least / requests:F1} each");
    }

    private static ValueTask Answer(RemotingRequest request, Numbers header)
    {
        request.Responder.Reply(ResponseCode.Success, "FOUND", in header, new MemoryBody(Body));
        return ValueTask.CompletedTask;
    }

    private readonly record struct Numbers(int First, long Second) : ICommandHeader<Numbers>
    {
        public static Numbers Read(HeaderFields fields) => new(fields.GetInt32("first"u8), fields.GetInt64("second"u8));

        public void Write(ref HeaderWriter writer)
        {
            writer.Write("first"u8, First);
            writer.Write("second"u8, Second);
        }
    }

    /// <summary>A handler that ends later, on another thread, without garbage of its own.</summary>
    private sealed class PendingHandler : System.Threading.Tasks.Sources.IValueTaskSource, IThreadPoolWorkItem
    {
        private System.Threading.Tasks.Sources.ManualResetValueTaskSourceCore<bool> _core;
        private Responder _responder;
        private Numbers _header;

        public ValueTask Start(Responder responder, Numbers header)
        {
            (_responder, _header) = (responder, header);
            _core.Reset();
            var task = new ValueTask(this, _core.Version);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return task;
        }

        public void Execute()
        {
            Responder responder = _responder;
            Numbers header = _header;
            _core.SetResult(true);
            responder.Reply(in header);
        }

        public void GetResult(short token) => _core.GetResult(token);

        public System.Threading.Tasks.Sources.ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, System.Threading.Tasks.Sources.ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
