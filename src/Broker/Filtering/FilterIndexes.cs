using System.Collections.Concurrent;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Topics;
using GrayMQ.Filtering;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// The conditions on properties that groups subscribe by, indexed by topic. Subscriptions come and go with heartbeats; one worker at a time,
/// on the thread pool, takes all that have changed meanwhile, makes the topics' next indexes beside those in use, writes down
/// which expression has which number, and only then swaps. Until it has come by, a new subscription is evaluated by itself.
/// </summary>
internal sealed class FilterIndexes : IDisposable
{
    // A start's first generation is the time, so that answers which a lost store has left behind, or one that an older copy of it was put in
    // the place of, are older than anything.
    private const int GenerationsPerMs = 1 << 16;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly FilterStore _store;
    private readonly ConsumerTable _consumers;
    private readonly TopicTable _topics;
    private readonly ILogger _logger;
    private readonly ITimer _retry;
    private readonly ConcurrentDictionary<string, TopicFilters> _filters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _changedGroups = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _changedTopics = new(StringComparer.Ordinal);

    // By the worker: what each group subscribes to by a condition, by topic.
    private readonly Dictionary<string, Dictionary<string, FilterExpression>> _groups = new(StringComparer.Ordinal);
    private readonly Lock _working = new();

    // Asked for each message: a concurrent dictionary without entries takes all its locks to say so.
    private volatile bool _any;
    private long _generation;
    private int _isWanted;
    private bool _disposed;

    private FilterIndexes(FilterStore store, ConsumerTable consumers, TopicTable topics, TimeProvider time, ILogger logger)
    {
        _store = store;
        _consumers = consumers;
        _topics = topics;
        _logger = logger;
        _generation = Math.Max(store.ReadGeneration() ?? 0, time.GetUtcNow().ToUnixTimeMilliseconds() * GenerationsPerMs);
        _retry = time.CreateTimer(_ => Start(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>No topic has an index.</summary>
    public bool IsEmpty => !_any;

    /// <summary>Takes back what there was, and what the remembered clients subscribe to. To be called before anything is served.</summary>
    /// <exception cref="KeyValueStoreException">What there was cannot be read, or what there is not be written.</exception>
    public static FilterIndexes Open(
        KeyValueStore values, KeyFamily family, ConsumerTable consumers, TopicTable topics, TimeProvider time, ILogger<FilterIndexes> logger)
    {
        var indexes = new FilterIndexes(new FilterStore(values, family), consumers, topics, time, logger);
        foreach (StoredExpression stored in indexes._store.ReadAll(key => Log.FilterBroken(logger, key)))
        {
            indexes.Get(stored.Topic).Restore(stored);
            indexes._changedTopics[stored.Topic] = 0;
        }

        foreach (ConsumerGroup group in consumers.Groups)
        {
            indexes._changedGroups[group.Name] = 0;
        }

        indexes.Apply();
        consumers.SubscriptionsChanged += indexes.OnGroupChanged;
        topics.Changed += indexes.OnTopicsChanged;
        return indexes;
    }

    /// <summary>The filters of a topic; null when nobody subscribes to it by a condition.</summary>
    public TopicFilters? Find(string topic) => _filters.GetValueOrDefault(topic);

    public void Dispose()
    {
        _consumers.SubscriptionsChanged -= OnGroupChanged;
        _topics.Changed -= OnTopicsChanged;
        _retry.Dispose();
        lock (_working)
        {
            _disposed = true;
        }
    }

    private void OnGroupChanged(string group)
    {
        _changedGroups[group] = 0;
        Start();
    }

    private void OnTopicsChanged(TopicChange change)
    {
        foreach (Topic topic in change.Put)
        {
            if (_filters.ContainsKey(topic.Name))
            {
                _changedTopics[topic.Name] = 0;
                Start();
            }
        }
    }

    private void Start()
    {
        if (Interlocked.Exchange(ref _isWanted, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static indexes => indexes.Work(), this, preferLocal: false);
        }
    }

    private void Work()
    {
        lock (_working)
        {
            // A full fence: what is marked after this starts the worker again.
            Interlocked.Exchange(ref _isWanted, 0);
            if (_disposed)
            {
                return;
            }

            try
            {
                Apply();
            }
            catch (Exception e)
            {
                Log.FilterChangeFailed(_logger, e);
                _retry.Change(RetryDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    // Under the lock, or before anybody else knows of this.
    private void Apply()
    {
        foreach (string group in Take(_changedGroups))
        {
            Collect(group);
        }

        long generation = _generation + 1;
        var changes = new List<TopicFilterChange>();
        string[] topics = Take(_changedTopics);
        try
        {
            foreach (string topic in topics)
            {
                if (Get(topic).Prepare(generation, IndexedPropertyOf(topic)) is { } change)
                {
                    changes.Add(change);
                }
            }

            if (changes.Count > 0)
            {
                _store.Write(generation, Stored(changes, change => change.Added), Stored(changes, change => change.Removed));
            }
        }
        catch
        {
            changes.ForEach(change => change.Topic.TakeBack(change));
            Array.ForEach(topics, topic => _changedTopics[topic] = 0);
            throw;
        }

        _generation = changes.Count > 0 ? generation : _generation;
        changes.ForEach(Publish);
        foreach (string topic in topics)
        {
            if (Find(topic) is { IsEmpty: true })
            {
                // Its messages cost nothing any more.
                _filters.TryRemove(topic, out _);
            }
        }

        _any = !_filters.IsEmpty;
    }

    private void Collect(string group)
    {
        var after = new Dictionary<string, FilterExpression>(StringComparer.Ordinal);
        foreach (Subscription subscription in _consumers.Find(group)?.Subscriptions.All ?? [])
        {
            if (subscription.Expression.Filter is { } filter)
            {
                after[subscription.Topic] = filter;
                Get(subscription.Topic).Subscribe(filter);
                _changedTopics[subscription.Topic] = 0;
            }
        }

        if (_groups.Remove(group, out Dictionary<string, FilterExpression>? before))
        {
            foreach ((string topic, FilterExpression expression) in before)
            {
                Get(topic).Unsubscribe(expression);
                _changedTopics[topic] = 0;
            }
        }

        if (after.Count > 0)
        {
            _groups[group] = after;
        }
    }

    private void Publish(TopicFilterChange change)
    {
        change.Topic.Publish(change);
        Log.FiltersIndexed(_logger, change.Topic.Name, change.Version.Index.Count, change.Added.Count, change.Removed.Count);
    }

    private static List<StoredExpression> Stored(
        List<TopicFilterChange> changes, Func<TopicFilterChange, IReadOnlyList<IndexedExpression>> which) =>
        [
            .. changes.SelectMany(change => which(change)
                .Select(each => new StoredExpression(change.Topic.Name, each.Id, each.Since, each.Expression))),
        ];

    private TopicFilters Get(string topic)
    {
        _any = true;
        return _filters.GetOrAdd(topic, static name => new TopicFilters(name));
    }

    private string? IndexedPropertyOf(string topic) =>
        _topics.Find(topic)?.Config.Attributes.GetValueOrDefault(TopicAttributes.FilterIndexProperty);

    private static string[] Take(ConcurrentDictionary<string, byte> marks)
    {
        string[] names = [.. marks.Keys];
        Array.ForEach(names, name => marks.TryRemove(name, out _));
        return names;
    }
}
