using GrayMQ.Compatibility.Tests.AliOns;

namespace GrayMQ.Broker.Gray;

/// <summary>The five published scenarios with ali-ons, a stock client that rebalances by itself and knows nothing of gray.</summary>
public sealed class AliOnsScenarioTests(AliOnsPackage package) : PublishedScenarioTests, IClassFixture<AliOnsPackage>
{
    private readonly List<AliOnsConsumer> _consumers = [];

    public override async ValueTask DisposeAsync()
    {
        foreach (AliOnsConsumer consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        foreach ((string topic, _) in subscriptions)
        {
            Gray.State.AddRoute(topic, GrayFixture.Queues, Gray.Broker.EndPoint.ToString());
        }

        AliOnsConsumer consumer = await AliOnsConsumer.StartAsync(
            package, Gray.State.Address, id, PublishedScenario.Group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }
}
