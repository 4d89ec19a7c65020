using System.Net;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.States;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Protocol.Messages;
using GrayMQ.Settings;
using GrayMQ.Store;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker;

/// <summary>
/// What a broker keeps, in memory and on disk: opened and recovered in one order, closed in the other. Only the composition sees it as
/// a whole; everything else is handed the parts that it uses.
/// </summary>
internal sealed class BrokerState : IAsyncDisposable
{
    // Null where the caller has taken it.
    private readonly StoreLock? _lock;
    private readonly MetadataStore _metadata;
    private readonly StateStore _states;

    /// <exception cref="IOException">Something is in use, damaged beyond recovery, or not accessible; the message says which.</exception>
    public BrokerState(
        EffectiveSettings settings,
        IPEndPoint address,
        Func<bool> mayNotifyClients,
        TransactionOptions transactions,
        TimeProvider time,
        ILoggerFactory loggers,
        IStoreFileSystem files,
        StoreLock? taken)
    {
        StoreOptions storeOptions = StoreSettings.ToOptions(settings);
        _lock = taken is null ? StoreLock.Take(storeOptions.RootDirectory, files) : null;
        try
        {
            _metadata = MetadataStore.Open(Path.Combine(storeOptions.RootDirectory, "config"), loggers);
            Topics = TopicTable.Open(_metadata, MetadataSettings.TopicOptions(settings), time, loggers);
            Groups = SubscriptionGroupTable.Open(_metadata, MetadataSettings.GroupOptions(settings), time, loggers);
            Offsets = ConsumerOffsetTable.Open(_metadata, MetadataSettings.OffsetOptions(settings), time, loggers);
            RequestModes = RequestModeTable.Open(_metadata, loggers);
            Export = new RocketMqExport(_metadata, Topics, Groups, Offsets, RequestModes, loggers);
            Clients = ClientRegistry.Open(_metadata, Groups, ClientSettings.ToLimits(settings), mayNotifyClients, time, loggers);
            Filters = settings.Get(FilterSettings.FilterIndex)
                ? FilterIndexes.Open(
                    _metadata.Values, _metadata.Filters, Clients.Consumers, Topics, time, loggers.CreateLogger<FilterIndexes>())
                : null;
            Parked = new ParkedPulls(settings.Get(BrokerSettings.MaxParkedPulls), time);
            Statistics = new BrokerStatistics(settings.Get(BrokerSettings.BrokerClusterName), time);
            _states = StateStore.Open(storeOptions.RootDirectory);
            Pops = new PopState(_states.Values, Offsets, PopSettings.ParkLimits(settings), Gray, time, loggers);
            Halves = new HalfMessageStore(_states, transactions);
            Pending = PendingMessages.Open(
                DelaySettings.Options(settings), storeOptions.RootDirectory, _metadata.ConfigDirectory, _states, time, loggers);
            IReadOnlyList<ILogFollower> followers = [Halves, Pending.Timers];
            Messages = MessageStore.Open(
                storeOptions,
                files,
                time,
                loggers,
                new Arrivals(Filters, loggers.CreateLogger<Arrivals>(), Parked, Pops.Parked),
                Pending.TagsCodes,
                taken ?? _lock,
                followers);
            Intake = new MessageIntake(Messages, Statistics, MessageHost.From(address), Gray);
            Pops.Recover(Topics, Groups, Messages, storeOptions.CommitLogFileBytes);
            GrayWork = new GrayWork(
                GraySettings.Options(settings, address),
                Gray,
                new GrayStore(_states.Values, _states.Gray),
                Topics,
                Clients,
                Offsets,
                Messages,
                new GrayQueueFacts(Offsets, Messages, Pops.CheckPoints),
                WakeGroup,
                time,
                loggers.CreateLogger<GrayWork>());
            Pending.Attach(Messages, Intake, Topics);
        }
        catch
        {
            // The databases have to be closed, or this process could not try again.
            Messages?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            CloseTables();
            throw;
        }

        Topics.Changed += change => ForEach(change.Deleted, Statistics.RemoveTopic);
        Topics.Changed += change => ForEach(change.Deleted, Parked.WakeTopic);
        Topics.Changed += change => ForEach(change.Deleted, RequestModes.RemoveTopic);
        Topics.Changed += change => ForEach(change.Deleted, GrayWork.ForgetTopic);
        Groups.Changed += change => ForEach(change.Deleted, Statistics.RemoveGroup);
        Groups.Changed += change => ForEach(change.Deleted, RequestModes.RemoveGroup);
        Groups.Changed += change => ForEach(change.Deleted, GrayWork.ForgetGroup);
    }

    public TopicTable Topics { get; }

    public SubscriptionGroupTable Groups { get; }

    public ConsumerOffsetTable Offsets { get; }

    public RequestModeTable RequestModes { get; }

    public RocketMqExport Export { get; }

    public HalfMessageStore Halves { get; }

    public ClientRegistry Clients { get; }

    /// <summary>Null when subscriptions are not to be indexed.</summary>
    public FilterIndexes? Filters { get; }

    public ParkedPulls Parked { get; }

    public PopState Pops { get; }

    public BrokerStatistics Statistics { get; }

    /// <summary>What is gray, for all who have to know.</summary>
    public GrayTable Gray { get; } = new();

    /// <summary>Brings the broker from one state of gray to the next.</summary>
    public GrayWork GrayWork { get; }

    public MessageStore Messages { get; }

    /// <summary>The way of every message into the store.</summary>
    public MessageIntake Intake { get; }

    /// <summary>Delayed messages.</summary>
    public PendingMessages Pending { get; }

    /// <summary>Starts everything that has a clock or a thread of its own.</summary>
    public void Start()
    {
        Messages.Start();
        GrayWork.Start();
        Pending.Start();
        Statistics.Start();
        Clients.Start();
        Pops.Start();
    }

    /// <summary>Nothing is done on the broker's own account any more.</summary>
    public void Stop() => Pending.Stop();

    /// <summary>Writes down what only memory knows, and what RocketMQ would read; once stopped.</summary>
    public void Save()
    {
        Pending.Save();
        Offsets.Write();
        Export.Write();
    }

    public async ValueTask DisposeAsync()
    {
        await Pops.StopAsync().ConfigureAwait(false);
        Pending.Stop();
        GrayWork.Dispose();
        await Messages.DisposeAsync().ConfigureAwait(false);
        CloseTables();
    }

    private static void ForEach(IReadOnlyList<string> names, Action<string> remove)
    {
        foreach (string name in names)
        {
            remove(name);
        }
    }

    // Queues have changed hands: who waits for something is to look again.
    private void WakeGroup(string group)
    {
        Parked.WakeHeld(group);
        Pops.WakeGroup(group);
    }

    // Some are missing where opening failed half-way.
    private void CloseTables()
    {
        GrayWork?.Dispose();
        Pops?.Dispose();
        Parked?.Dispose();
        Statistics?.Dispose();
        Offsets?.Dispose();
        Filters?.Dispose();
        Clients?.Dispose();
        _metadata?.Dispose();
        Pending?.Dispose();
        _states?.Dispose();
        _lock?.Dispose();
    }
}
