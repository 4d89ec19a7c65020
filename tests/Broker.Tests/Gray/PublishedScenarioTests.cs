namespace GrayMQ.Broker.Gray;

/// <summary>The five published scenarios, for each kind of consumer.</summary>
public abstract class PublishedScenarioTests : IAsyncLifetime
{
    private PublishedScenario _scenario = null!;

    private protected GrayFixture Gray { get; private set; } = null!;

    /// <summary>Settings of the broker.</summary>
    private protected virtual (string Key, string Value)[] Settings => [];

    public virtual async ValueTask InitializeAsync()
    {
        Gray = await GrayFixture.StartAsync(Settings);
        _scenario = new PublishedScenario(Gray, ConsumeAsync);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Gray.DisposeAsync();
    }

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

    /// <summary>Starts a consumer.</summary>
    private protected abstract Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions);

    /// <summary>Ends all consumers, and expects that none of them was given what another was given.</summary>
    private protected static async Task EndOnceEachAsync<T>(IReadOnlyCollection<T> consumers)
        where T : IScenarioConsumer, IAsyncDisposable
    {
        foreach (T consumer in consumers)
        {
            await consumer.DisposeAsync();
        }

        string[] consumed = [.. consumers.SelectMany(consumer => consumer.Consumed)];
        Assert.Equal(consumed.Distinct().Order(StringComparer.Ordinal), consumed.Order(StringComparer.Ordinal));
    }
}

/// <summary>Stock push consumers that rebalance by themselves.</summary>
public sealed class StockScenarioTests : PublishedScenarioTests
{
    private protected override Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions) =>
        Task.FromResult<IScenarioConsumer>(Gray.Consume(id, PublishedScenario.Group, subscriptions));
}

/// <summary>Stock push consumers that pop. Nothing is consumed twice: a handover waits for what is in hand.</summary>
public sealed class StockPopScenarioTests : PublishedScenarioTests
{
    private readonly List<StockPopConsumer> _consumers = [];

    private protected override (string Key, string Value)[] Settings => [("defaultMessageRequestMode", "POP")];

    public override async ValueTask DisposeAsync()
    {
        await EndOnceEachAsync(_consumers);
        await base.DisposeAsync();
    }

    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        StockPopConsumer consumer = await StockPopConsumer.StartAsync(Gray.Broker.Connect(id), PublishedScenario.Group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }
}

/// <summary>Gray-aware consumers of this project's client, which say by themselves that they are gray.</summary>
public sealed class AwareScenarioTests : PublishedScenarioTests
{
    private readonly List<AwareConsumer> _consumers = [];

    public override async ValueTask DisposeAsync()
    {
        foreach (AwareConsumer consumer in _consumers)
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

        AwareConsumer consumer = await AwareConsumer.StartAsync(Gray.State.Address, id, PublishedScenario.Group, subscriptions);
        _consumers.Add(consumer);
        return consumer;
    }
}
