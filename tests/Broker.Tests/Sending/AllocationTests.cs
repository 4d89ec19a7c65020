using System.Buffers.Binary;
using System.Net.Sockets;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Sending;

/// <summary>Alone in the process: it counts what every thread allocates.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const int WarmUp = 5_000;
    private const int Measured = 20_000;

    // Timers, statistics and the runtime itself allocate now and then: that is not a message's doing.
    private const double MaxBytesPerMessage = 8;

    [Theory]
    [InlineData("")]
    [InlineData("UNIQ_KEY\u00017F00000100002A9F0000000000000001\u0002WAIT\u0001true\u0002TAGS\u0001a\u0002KEYS\u0001k\u0002")]
    public async Task Send_SteadyState_AllocatesNothing(string properties)
    {
        await using RunningBroker broker = await StartAsync();
        using var client = new RawClient(broker);
        byte[] send = RawClient.Frame(RequestCode.SendMessageV2, Sends.Header("Orders", properties: properties), new byte[128]);

        Assert.InRange(Measure(client, send), 0, MaxBytesPerMessage);
    }

    [Fact]
    public async Task Pull_SteadyState_AllocatesNothing()
    {
        await using RunningBroker broker = await StartAsync();
        Peer peer = broker.Connect("p");
        await peer.StoreAsync("Orders", "a", "A");
        await peer.StoreAsync("Orders", "b", "B");
        await peer.DispatchedAsync("Orders", 2);
        using var client = new RawClient(broker);
        byte[] pull = RawClient.Frame(RequestCode.PullMessage, Pulls.Header("Orders", 0), []);

        Assert.InRange(Measure(client, pull), 0, MaxBytesPerMessage);
    }

    private static async Task<RunningBroker> StartAsync() =>
        await RunningBroker.StartAsync(("mappedFileSizeCommitLog", (64 * 1024 * 1024).ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private static double Measure(RawClient client, byte[] request)
    {
        for (int i = 0; i < WarmUp; i++)
        {
            client.Ask(request);
        }

        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Measured; i++)
        {
            client.Ask(request);
        }

        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Measured;
    }

    /// <summary>A client that asks the same again and again, and allocates nothing itself.</summary>
    private sealed class RawClient : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _answer = new byte[64 * 1024];

        public RawClient(RunningBroker broker) => _socket.Connect(broker.EndPoint);

        public static byte[] Frame<THeader>(RequestCode code, THeader header, byte[] body)
            where THeader : IHeaderFields
        {
            var buffer = new HeaderBuffer();
            CommandWriter.WriteRequest(buffer, SerializeType.Json, code, opaque: 1, oneWay: false, in header, body.Length);
            return [.. buffer.Written, .. body];
        }

        public void Ask(byte[] request)
        {
            _socket.Send(request);
            Receive(_answer.AsSpan(0, sizeof(int)));
            int length = BinaryPrimitives.ReadInt32BigEndian(_answer);
            Receive(_answer.AsSpan(0, length));
            if (_answer.AsSpan(0, length).IndexOf("\"code\":0,"u8) < 0)
            {
                Assert.Fail(System.Text.Encoding.UTF8.GetString(_answer.AsSpan(0, length)));
            }
        }

        public void Dispose() => _socket.Dispose();

        private void Receive(Span<byte> destination)
        {
            while (!destination.IsEmpty)
            {
                int received = _socket.Receive(destination);
                Assert.True(received > 0, "the broker has closed the connection");
                destination = destination[received..];
            }
        }
    }
}
