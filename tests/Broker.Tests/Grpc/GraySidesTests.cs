using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>Which side gRPC clients are on, and which queues what they send is stored in.</summary>
public sealed class GraySidesTests : IAsyncLifetime
{
    private const string Topic = "Orders";
    private const string Group = "billing";
    private static readonly int[] GrayQueues = [0, 5];

    private readonly GrpcPeers _clients = new();
    private GrayFixture _gray = null!;

    public async ValueTask InitializeAsync()
    {
        _gray = await GrayFixture.StartAsync(("grpcPort", _clients.Port));
        await _gray.CreateAsync(Topic);
        await _gray.State.SetTopicAsync(Topic, 6);
        RemotingCommand reply = await _gray.Admin.PopAsync(Pops.Header(Topic, initMode: 1, group: Group));
        Assert.Equal(ResponseCode.PollingTimeout, reply.ResponseCode);
    }

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _gray.DisposeAsync();
    }

    [Fact]
    public async Task Send_MarkedByAProperty_IsStoredInAGrayQueueAndKeepsTheMark()
    {
        GrpcPeer consumer = await ConsumerAsync("c");
        GrpcPeer producer = await ProducerAsync("p");
        for (int i = 0; i < 12; i++)
        {
            await producer.SendAsync(Topic, $"gray {i}", null, (GrayMark.Property, GrayMark.Value));
            await producer.SendAsync(Topic, $"normal {i}");
        }

        List<V2.Message> received = await ReceiveAsync(consumer, 24);

        Assert.All(received, message =>
        {
            bool isGray = message.Body.ToStringUtf8().StartsWith("gray", StringComparison.Ordinal);
            Assert.Equal(isGray, GrayQueues.Contains(message.SystemProperties.QueueId));
            Assert.Equal(isGray, message.UserProperties.TryGetValue(GrayMark.Property, out string? mark) && mark == GrayMark.Value);
        });
    }

    [Fact]
    public async Task Send_ByAGrayProducer_IsGrayThoughItIsNotMarked()
    {
        // The group of gRPC producers is the topic that they send to.
        await _gray.State.OpenAsync(Topic, "v2-*", GrayReleaseKind.Producer);
        GrpcPeer consumer = await ConsumerAsync("c");
        GrpcPeer gray = await ProducerAsync("v2-producer");
        GrpcPeer normal = await ProducerAsync("v1-producer");
        for (int i = 0; i < 6; i++)
        {
            await gray.SendAsync(Topic, $"gray {i}");
            await normal.SendAsync(Topic, $"normal {i}");
        }

        Assert.All(await ReceiveAsync(consumer, 12), message => Assert.Equal(
            message.Body.ToStringUtf8().StartsWith("gray", StringComparison.Ordinal), GrayQueues.Contains(message.SystemProperties.QueueId)));
    }

    [Fact]
    public async Task Receive_WhileAReleaseIsOpen_IsGivenTheQueuesOfTheClientsSide()
    {
        await _gray.State.OpenAsync(Group);
        GrpcPeer gray = await ConsumerAsync("v2-0");
        GrpcPeer normal = await ConsumerAsync("v1-0");
        await _gray.State.DoneAsync(Group);

        // What is stored before is the normal side's to consume, and the gray one waits for it.
        await Eventually.TrueAsync(
            async () => (await _gray.Admin.AskAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
                    RequestCode.GetBrokerGrayStatus, new GetBrokerGrayStatusHeader { Group = Group }))
                .Queues.Where(queue => GrayQueues.Contains(queue.QueueId)).All(queue => queue.Owner == "GRAY"),
            "the gray queues are the gray side's");
        GrpcPeer producer = await ProducerAsync("p");
        for (int i = 0; i < 12; i++)
        {
            await producer.SendAsync(Topic, $"gray {i}", null, (GrayMark.Property, GrayMark.Value));
            await producer.SendAsync(Topic, $"normal {i}");
        }

        Assert.All(await ReceiveAsync(gray, 12), message => Assert.Contains(message.SystemProperties.QueueId, GrayQueues));
        Assert.All(await ReceiveAsync(normal, 12), message => Assert.DoesNotContain(message.SystemProperties.QueueId, GrayQueues));
    }

    [Fact]
    public async Task Receive_OfARuleByAddress_PutsAllClientsOfTheAddressOnTheSide()
    {
        GrpcPeer consumer = await ConsumerAsync("whatever");
        GrpcPeer producer = await ProducerAsync("p");
        for (int i = 0; i < 6; i++)
        {
            await producer.SendAsync(Topic, $"before {i}");
        }

        await ReceiveAsync(consumer, 6);
        await _gray.State.SetReleaseAsync(
            Group, release => release with { Rules = [new GrayRule { Kind = GrayRuleKind.Address, Pattern = "127.0.0.0/8" }] });
        await _gray.State.DoneAsync(Group);
        await producer.SendAsync(Topic, "gray", null, (GrayMark.Property, GrayMark.Value));

        Assert.Equal("gray", Assert.Single(await ReceiveAsync(consumer, 1)).Body.ToStringUtf8());
    }

    private async Task<GrpcPeer> ProducerAsync(string id)
    {
        GrpcPeer producer = _clients.Connect(id);
        await producer.ProduceAsync(Topic);
        return producer;
    }

    private async Task<GrpcPeer> ConsumerAsync(string id)
    {
        GrpcPeer consumer = _clients.Connect(id);
        await consumer.ConsumeAsync(Group, V2.ClientType.PushConsumer, (Topic, "*"));
        return consumer;
    }

    private static async Task<List<V2.Message>> ReceiveAsync(GrpcPeer consumer, int count)
    {
        var received = new List<V2.Message>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (received.Count < count)
        {
            (_, IReadOnlyList<V2.Message> messages) = await consumer.ReceiveAsync(Group, Topic, cancel: limit.Token);
            if (messages.Count > 0)
            {
                received.AddRange(messages);
                Assert.Equal(V2.Code.Ok, (await consumer.AckAsync(Group, Topic, messages)).Status.Code);
            }
        }

        return received;
    }
}
