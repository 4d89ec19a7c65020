namespace GrayMQ.Broker.Gray;

/// <summary>The five published scenarios with stock consumers that rebalance by themselves.</summary>
public sealed class PublishedScenarioTests : IAsyncLifetime
{
    private GrayFixture _gray = null!;
    private PublishedScenario _scenario = null!;

    public async ValueTask InitializeAsync()
    {
        _gray = await GrayFixture.StartAsync();
        _scenario = new PublishedScenario(
            _gray,
            (id, subscriptions) => Task.FromResult<IScenarioConsumer>(_gray.Consume(id, PublishedScenario.Group, subscriptions)));
    }

    public ValueTask DisposeAsync() => _gray.DisposeAsync();

    [Fact]
    public Task SameSubscription_OpenAndPromote_EachMessageByItsSide() => _scenario.SameSubscriptionAsync();

    [Fact]
    public Task TopicAdded_OpenAndPromote_EachMessageByItsSide() => _scenario.TopicAddedAsync();

    [Fact]
    public Task TopicRemoved_OpenAndPromote_EachMessageByItsSide() => _scenario.TopicRemovedAsync();

    [Fact]
    public Task TagChanged_OpenAndPromote_EachMessageByItsSide() => _scenario.TagChangedAsync();

    [Fact]
    public Task TopicAndTagChanged_OpenAndPromote_EachMessageByItsSide() => _scenario.TopicAndTagChangedAsync();
}
