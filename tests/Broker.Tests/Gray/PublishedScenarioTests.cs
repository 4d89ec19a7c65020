namespace GrayMQ.Broker.Gray;

/// <summary>The five published scenarios, for each kind of consumer.</summary>
public abstract class PublishedScenarioTests : IAsyncLifetime
{
    private readonly List<IScenarioConsumer> _consumers = [];
    private PublishedScenario _scenario = null!;

    private protected GrayFixture Gray { get; private set; } = null!;

    /// <summary>Settings of the broker.</summary>
    private protected virtual (string Key, string Value)[] Settings => [];

    /// <summary>Whether no message may be given to a consumer that was given to another, or to the same before.</summary>
    private protected virtual bool IsOnceEach => false;

    public async ValueTask InitializeAsync()
    {
        Gray = await GrayFixture.StartAsync(Settings);
        _scenario = new PublishedScenario(Gray, ConsumeAsync);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (IAsyncDisposable consumer in _consumers.Cast<IAsyncDisposable>())
        {
            await consumer.DisposeAsync();
        }

        await Gray.DisposeAsync();
        if (IsOnceEach)
        {
            string[] consumed = [.. _consumers.SelectMany(consumer => consumer.Consumed)];
            Assert.NotEmpty(consumed);
            Assert.Equal(consumed.Distinct().Order(StringComparer.Ordinal), consumed.Order(StringComparer.Ordinal));
        }
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

    /// <summary>Ends the consumer with the test.</summary>
    private protected T Keep<T>(T consumer)
        where T : IScenarioConsumer, IAsyncDisposable
    {
        _consumers.Add(consumer);
        return consumer;
    }

    /// <summary>Has clients that ask for routes told of the topics.</summary>
    private protected void AddRoutes((string Topic, string Tags)[] subscriptions)
    {
        foreach ((string topic, _) in subscriptions)
        {
            Gray.State.AddRoute(topic, GrayFixture.Queues, Gray.Broker.EndPoint.ToString());
        }
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
    private protected override (string Key, string Value)[] Settings => [("defaultMessageRequestMode", "POP")];

    private protected override bool IsOnceEach => true;

    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions) =>
        Keep(await StockPopConsumer.StartAsync(Gray.Broker.Connect(id), PublishedScenario.Group, subscriptions));
}

/// <summary>Gray-aware consumers of this project's client, which say by themselves that they are gray.</summary>
public sealed class AwareScenarioTests : PublishedScenarioTests
{
    private protected override async Task<IScenarioConsumer> ConsumeAsync(string id, (string Topic, string Tags)[] subscriptions)
    {
        AddRoutes(subscriptions);
        return Keep(await AwareConsumer.StartAsync(Gray.State.Address, id, PublishedScenario.Group, subscriptions));
    }
}
