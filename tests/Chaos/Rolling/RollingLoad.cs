using GrayMQ.Chaos.Rolling.Npm;
using GrayMQ.Chaos.Rolling.Own;
using GrayMQ.Chaos.Rolling.Stock;

namespace GrayMQ.Chaos.Rolling;

/// <summary>Every kind of client at its work: who sends what, and who is given it.</summary>
internal sealed class RollingLoad : IAsyncDisposable
{
    /// <summary>On all brokers: its producers go elsewhere when one leaves.</summary>
    public const string Moving = "RollingMoving";

    /// <summary>As <see cref="Moving"/>, for messages of transactions.</summary>
    public const string Transactions = "RollingTransactions";

    /// <summary>On all brokers, with an order configuration: its producers keep their queues.</summary>
    public const string Ordered = "RollingOrdered";

    /// <summary>On one broker only.</summary>
    public const string Alone = "RollingAlone";

    /// <summary>One try and the retries that stock producers make unless told otherwise.</summary>
    private const int DefaultTries = 3;
    private const int StockProducers = 4;

    private readonly Timeline _timeline;
    private readonly List<ILoad> _producers = [];
    private readonly List<ILoad> _consumers = [];
    private readonly List<GroupRecord> _groups = [];

    /// <param name="npm">The packages of npm; null leaves their clients out.</param>
    /// <param name="cannotMove">Whether topics take part whose messages can go nowhere else.</param>
    public RollingLoad(LoadSettings settings, Timeline timeline, NpmClients? npm, bool cannotMove)
    {
        _timeline = timeline;
        string[] topics = cannotMove ? [Moving, Transactions, Ordered, Alone] : [Moving, Transactions];
        Sends = [.. topics.Select(topic => new SendRecord(topic, timeline))];
        for (int i = 0; i < StockProducers; i++)
        {
            _producers.Add(new StockProducer(settings, $"stock{i}", Of(Moving), tries: 1));
        }

        _producers.Add(new OwnProducer(settings, "own", Of(Moving)));
        _producers.Add(new StockTransactions(settings, "stocktx", Of(Transactions)));
        _producers.Add(new OwnTransactions(settings, "owntx", Of(Transactions)));
        _consumers.Add(new StockPullConsumer(settings, Group("stock-pull", Moving, tellsConfirmed: true)));
        _consumers.Add(new StockPopConsumer(settings, Group("stock-pop", Moving, tellsConfirmed: true)));
        _consumers.Add(new OwnPushConsumer(settings, Group("own-pull", Moving)));
        _consumers.Add(new OwnPopConsumer(settings, Group("own-pop", Moving)));
        _consumers.Add(new StockPullConsumer(settings, Group("stock-tx", Transactions, tellsConfirmed: true)));
        if (cannotMove)
        {
            AddImmovable(settings);
        }

        if (npm?.AliOnsScript is { } aliOns)
        {
            _consumers.Add(new AliOnsConsumer(settings, aliOns, Group("ali-ons", Moving)));
        }

        if (npm?.GrpcScript is { } grpc)
        {
            _producers.Add(new GrpcProducer(settings, grpc, Of(Moving)));
            _consumers.Add(new GrpcConsumer(settings, grpc, Group("grpc", Moving, tellsConfirmed: true)));
        }
    }

    public IReadOnlyList<SendRecord> Sends { get; }

    public IReadOnlyList<GroupRecord> Groups => _groups;

    public IEnumerable<StockProducer> StockProducersOf(string topic) =>
        _producers.OfType<StockProducer>().Where(producer => producer.Topic == topic);

    /// <summary>Whether there is nothing that anybody has still to be given.</summary>
    public bool IsConsumed => _groups.All(group => group.Missing.Count == 0);

    public async Task StartAsync()
    {
        foreach (ILoad load in _consumers.Concat(_producers))
        {
            await load.StartAsync();
        }
    }

    /// <summary>Whether gaps in consumption count.</summary>
    public void Measure(bool on) => _groups.ForEach(group => group.Measure(on));

    public Task StopProducersAsync() => Task.WhenAll(_producers.Select(producer => producer.StopAsync()));

    public Task StopConsumersAsync() => Task.WhenAll(_consumers.Select(consumer => consumer.StopAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (ILoad load in _producers.Concat(_consumers))
        {
            await load.DisposeAsync();
        }
    }

    private void AddImmovable(LoadSettings settings)
    {
        _producers.Add(new StockProducer(settings, "alone", Of(Alone), DefaultTries));
        for (int i = 0; i < StockProducers; i++)
        {
            _producers.Add(new StockProducer(settings, $"order{i}", Of(Ordered), DefaultTries, keepsQueue: true));
        }

        _consumers.Add(new StockPullConsumer(settings, Group("stock-order", Ordered, tellsConfirmed: true, inOrder: true)));
        _consumers.Add(new OwnPushConsumer(settings, Group("own-order", Ordered, inOrder: true), orderly: true));
        _consumers.Add(new StockPullConsumer(settings, Group("stock-alone", Alone, tellsConfirmed: true)));
    }

    private SendRecord Of(string topic) => Sends.Single(record => record.Topic == topic);

    private GroupRecord Group(string name, string topic, bool tellsConfirmed = false, bool inOrder = false)
    {
        var group = new GroupRecord(name, Of(topic), _timeline, tellsConfirmed, inOrder);
        _groups.Add(group);
        return group;
    }
}
