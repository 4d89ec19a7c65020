using GrayMQ.Compatibility.Tests.AliOns;

namespace GrayMQ.Broker.Gray;

/// <summary>The five published scenarios with ali-ons, a stock client that rebalances by itself and knows nothing of gray.</summary>
public sealed class AliOnsScenarioTests(AliOnsPackage package) : PublishedScenarioTests, IClassFixture<AliOnsPackage>
{
    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        AddRoutes(subscriptions);
        return Keep(await AliOnsConsumer.StartAsync(package, Gray.State.Address, id, PublishedScenario.Group, subscriptions));
    }
}
