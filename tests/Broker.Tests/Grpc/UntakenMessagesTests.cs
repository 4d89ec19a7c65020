using System.IO.Compression;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>A broker that hands nothing out while receivers leave more unread than it may keep for them.</summary>
public sealed class UntakenMessagesTests : IAsyncLifetime
{
    private const int MaxUntakenBytes = 400 * 1024;
    private const int Zlib = MessageSysFlag.Compressed | (3 << 8);
    private const string Topic = "T";
    private const string Group = "GID_untaken";
    private static readonly TimeSpan Invisible = TimeSpan.FromHours(1);

    private readonly GrpcPeers _clients = new();
    private LeavingBroker _broker = null!;
    private Peer _remoting = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await LeavingBroker.StartAsync(
            ("grpcPort", _clients.Port), ("grpcMaxUntakenBytes", $"{MaxUntakenBytes}"), ("httpPort", $"{FreePorts.Take()}"));
        _remoting = _broker.Broker.Connect("remoting");
        foreach (string topic in new[] { Topic, "Other" })
        {
            Assert.Equal(ResponseCode.Success, (await _remoting.CreateTopicAsync(topic, 1)).ResponseCode);
        }

        // Settles where the group begins.
        await _remoting.PopAsync(Pops.Header(Topic, initMode: 1, group: Group));
    }

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Theory]
    [InlineData(256 * 1024, false)] // too much as it is stored and, once more, as it is written
    [InlineData(1024 * 1024, true)] // little as it is stored
    public async Task Receiver_ThatDoesNotRead_HasTheNextRefusedUntilItIsGone(int bytes, bool packed)
    {
        await StoreAsync(Topic, bytes, packed);
        await _remoting.DispatchedAsync(Topic, 1);
        GrpcPeer consumer = await ConsumerAsync("consumer");
        using HttpResponseMessage unread = await (await ConsumerAsync("silent")).OpenReceiveAsync(Group, Topic, Invisible);
        Assert.Equal(1, (await _broker.ShowAsync()).PopsInFlight);
        await StoreAsync(Topic, 1, packed: false);

        Assert.Equal(V2.Code.TooManyRequests, (await consumer.ReceiveAsync(Group, Topic)).Status);
        Assert.Equal(V2.Code.TooManyRequests, (await consumer.PullAsync(Group, "Other", pollSeconds: 20)).Status);
        Assert.Equal(1, (await _broker.ShowAsync()).PopsInFlight);

        unread.Dispose();
        await UntilTakenAsync(consumer, Topic);
        Assert.NotEmpty((await consumer.ReceiveAsync(Group, Topic)).Messages);
    }

    [Fact]
    public async Task Pull_ThatWaited_IsRefusedOnceThereIsAMessageAndNoMemory()
    {
        await StoreAsync(Topic, 1024 * 1024, packed: true);
        await _remoting.DispatchedAsync(Topic, 1);
        GrpcPeer consumer = await ConsumerAsync("consumer");
        using HttpClient http = _broker.Broker.OpenHttp();
        Task<(V2.Code Status, IReadOnlyList<V2.Message> Messages)> pulling = consumer.PullAsync(Group, "Other", pollSeconds: 20);
        await Eventually.TrueAsync(
            async () => (await http.GetStringAsync("/metrics")).Split('\n').Any(
                line => line.StartsWith("graymq_parked_pulls{", StringComparison.Ordinal) && line.EndsWith("} 1", StringComparison.Ordinal)),
            "the pull waits");
        using HttpResponseMessage unread = await (await ConsumerAsync("silent")).OpenReceiveAsync(Group, Topic, Invisible);

        await StoreAsync("Other", 1, packed: false);

        Assert.Equal(V2.Code.TooManyRequests, (await pulling).Status);
        unread.Dispose();
        Assert.Single(await UntilTakenAsync(consumer, "Other"));
    }

    // What a call held is given back a moment after its client has gone.
    private static async Task<IReadOnlyList<V2.Message>> UntilTakenAsync(GrpcPeer consumer, string topic)
    {
        (V2.Code Status, IReadOnlyList<V2.Message> Messages) pulled = (V2.Code.TooManyRequests, []);
        await Eventually.TrueAsync(
            async () => (pulled = await consumer.PullAsync(Group, topic)).Status != V2.Code.TooManyRequests, "there is memory again");
        Assert.Equal(V2.Code.Ok, pulled.Status);
        return pulled.Messages;
    }

    private async Task StoreAsync(string topic, int bytes, bool packed)
    {
        byte[] body = new byte[bytes];
        if (packed)
        {
            using var stream = new MemoryStream();
            using (var zlib = new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            {
                zlib.Write(body);
            }

            body = stream.ToArray();
        }

        RemotingCommand reply = await _remoting.AskAsync(
            RequestCode.SendMessageV2, Sends.Header(topic) with { SysFlag = packed ? Zlib : 0 }, body);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    private async Task<GrpcPeer> ConsumerAsync(string id)
    {
        GrpcPeer consumer = _clients.Connect(id);
        await consumer.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        return consumer;
    }
}
