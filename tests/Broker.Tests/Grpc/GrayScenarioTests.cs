using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Grpc;

/// <summary>The five published scenarios with gRPC push consumers. Nothing is consumed twice: the broker shares out by message.</summary>
public sealed class GrayScenarioTests : PublishedScenarioTests
{
    private readonly string _port = $"{FreePorts.Take()}";
    private readonly List<GrpcPushConsumer> _consumers = [];

    private protected override (string Key, string Value)[] Settings => [("grpcPort", _port)];

    public override async ValueTask DisposeAsync()
    {
        await EndOnceEachAsync(_consumers);
        await base.DisposeAsync();
    }

    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        if (_consumers.Count == 0)
        {
            // A new group begins with what comes next: this settles where that is.
            foreach ((string topic, _) in subscriptions)
            {
                RemotingCommand reply = await Gray.Admin.PopAsync(Pops.Header(topic, initMode: 1, group: PublishedScenario.Group));
                Assert.Equal(ResponseCode.PollingTimeout, reply.ResponseCode);
            }
        }

        GrpcPushConsumer consumer = await GrpcPushConsumer.StartAsync(_port, id, PublishedScenario.Group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }
}
