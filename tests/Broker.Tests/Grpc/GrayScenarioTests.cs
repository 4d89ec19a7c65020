using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Grpc;

/// <summary>The five published scenarios with gRPC push consumers. Nothing is consumed twice: the broker shares out by message.</summary>
public sealed class GrayScenarioTests : IAsyncLifetime
{
    private readonly string _port = RunningBroker.FreePort();
    private readonly List<GrpcPushConsumer> _consumers = [];
    private GrayFixture _gray = null!;
    private PublishedScenario _scenario = null!;

    public async ValueTask InitializeAsync()
    {
        _gray = await GrayFixture.StartAsync(("grpcPort", _port));
        _scenario = new PublishedScenario(_gray, ConsumeAsync);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GrpcPushConsumer consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        await _gray.DisposeAsync();
        string[] consumed = [.. _consumers.SelectMany(consumer => consumer.Consumed)];
        Assert.Equal(consumed.Distinct().Order(StringComparer.Ordinal), consumed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public Task SameSubscription_OpenAndPromote_EachMessageByItsSideOnce() => _scenario.SameSubscriptionAsync();

    [Fact]
    public Task TopicAdded_OpenAndPromote_EachMessageByItsSideOnce() => _scenario.TopicAddedAsync();

    [Fact]
    public Task TopicRemoved_OpenAndPromote_EachMessageByItsSideOnce() => _scenario.TopicRemovedAsync();

    [Fact]
    public Task TagChanged_OpenAndPromote_EachMessageByItsSideOnce() => _scenario.TagChangedAsync();

    [Fact]
    public Task TopicAndTagChanged_OpenAndPromote_EachMessageByItsSideOnce() => _scenario.TopicAndTagChangedAsync();

    private async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        if (_consumers.Count == 0)
        {
            // A new group begins with what comes next: this settles where that is.
            foreach ((string topic, _) in subscriptions)
            {
                RemotingCommand reply = await _gray.Admin.PopAsync(Pops.Header(topic, initMode: 1, group: PublishedScenario.Group));
                Assert.Equal(ResponseCode.PollingTimeout, reply.ResponseCode);
            }
        }

        GrpcPushConsumer consumer = await GrpcPushConsumer.StartAsync(_port, id, PublishedScenario.Group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }
}
