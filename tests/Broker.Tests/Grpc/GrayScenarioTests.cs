using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Grpc;

/// <summary>The five published scenarios with gRPC push consumers. Nothing is consumed twice: the broker shares out by message.</summary>
public sealed class GrayScenarioTests : PublishedScenarioTests
{
    private readonly string _port = $"{FreePorts.Take()}";
    private bool _begins = true;

    private protected override (string Key, string Value)[] Settings => [("grpcPort", _port)];

    private protected override bool IsOnceEach => true;

    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        if (_begins)
        {
            _begins = false;

            // A new group begins with what comes next: this settles where that is.
            foreach ((string topic, _) in subscriptions)
            {
                RemotingCommand reply = await Gray.Admin.PopAsync(Pops.Header(topic, initMode: 1, group: PublishedScenario.Group));
                Assert.Equal(ResponseCode.PollingTimeout, reply.ResponseCode);
            }
        }

        return Keep(await GrpcPushConsumer.StartAsync(_port, id, PublishedScenario.Group, subscriptions));
    }
}
