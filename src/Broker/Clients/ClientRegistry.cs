using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Metadata;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>The tables of clients put together: what they remember is on disk, and who falls silent is found out.</summary>
internal sealed class ClientRegistry : IDisposable
{
    private readonly RememberedClientStore _store;
    private readonly ClientExpiry _expiry;

    private ClientRegistry(
        ConsumerTable consumers,
        ProducerTable producers,
        QueueLockTable locks,
        ConsumerNotifier notifier,
        RememberedClientStore store,
        ClientExpiry expiry)
    {
        Notifier = notifier;
        Consumers = consumers;
        Producers = producers;
        Locks = locks;
        _store = store;
        _expiry = expiry;
    }

    public ConsumerTable Consumers { get; }

    public ProducerTable Producers { get; }

    public QueueLockTable Locks { get; }

    /// <summary>Tells the clients of a group that it has changed.</summary>
    public ConsumerNotifier Notifier { get; }

    /// <summary>Reads what was remembered when the broker was stopped.</summary>
    /// <param name="mayNotify">Whether clients are told of changes at all; groups may do without it besides.</param>
    public static ClientRegistry Open(
        MetadataStore metadata,
        SubscriptionGroupTable groups,
        ClientLimits limits,
        Func<bool> mayNotify,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        var consumers = new ConsumerTable(limits, time, loggers.CreateLogger<ConsumerTable>());
        var producers = new ProducerTable(limits, time, loggers.CreateLogger<ProducerTable>());
        var locks = new QueueLockTable(
            limits,
            time,
            loggers.CreateLogger<QueueLockTable>(),
            new QueueLockStore(metadata.Values, metadata.QueueLocks, loggers.CreateLogger<QueueLockStore>()));
        var store = new RememberedClientStore(
            metadata.Values, metadata.Subscriptions, time, loggers.CreateLogger<RememberedClientStore>());
        var notifier = new ConsumerNotifier(
            group => mayNotify() && (groups.FindExisting(group)?.NotifyConsumerIdsChangedEnable ?? true),
            loggers.CreateLogger<ConsumerNotifier>());
        consumers.Restore(store.ReadAll());
        consumers.MemoryChanged += store.Changed;
        consumers.GroupChanged += notifier.Changed;
        var expiry = new ClientExpiry(consumers, producers, locks, time, loggers.CreateLogger<ClientExpiry>());
        return new ClientRegistry(consumers, producers, locks, notifier, store, expiry);
    }

    /// <summary>Begins to look for silent clients.</summary>
    public void Start() => _expiry.Start();

    public void Dispose()
    {
        _expiry.Dispose();
        _store.Dispose();
    }
}
