using System.Collections.Concurrent;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// The expressions that groups subscribe to a topic by, each once however many groups have it, and the index of them. Read by anybody;
/// changed by the worker of <see cref="FilterIndexes"/> alone, which makes the next version beside the one in use.
/// </summary>
internal sealed class TopicFilters(string name)
{
    // Building anew is cheaper than more changes than that, one after the other; or than a quarter of what there is, when that is more: an
    // index is built in not much less for each subscription than a change takes.
    private const int MostSingleChanges = 64;

    // Beyond that many properties named, expressions are evaluated by those who have them. An index that is changed again and again keeps
    // the places of properties that nobody names any more, so there have to be others.
    private const int MostNames = PropertyNames.MaxCount / 2;

    private readonly ConcurrentDictionary<ExpressionKey, IndexedExpression> _expressions = new();
    private volatile FilterVersion? _current;

    // By the worker: who wants what, which of it has changed since the last version, and numbers that nobody has.
    private readonly Dictionary<ExpressionKey, Wanted> _wanted = [];
    private readonly HashSet<ExpressionKey> _touched = [];
    private readonly SortedSet<int> _freeIds = [];
    private int _idLimit;

    // An index has a place for each property that its expressions name, and only so many places.
    private readonly Dictionary<string, int> _namedBy = new(StringComparer.Ordinal);

    public string Name => name;

    public FilterStatistics Statistics { get; } = new();

    /// <summary>Null before the first expression is in it.</summary>
    public FilterVersion? Current => _current;

    /// <summary>Those that the index has. A snapshot.</summary>
    public ICollection<IndexedExpression> Expressions => _expressions.Values;

    /// <summary>Whether nobody subscribes to the topic by a condition.</summary>
    public bool IsEmpty => _wanted.Count == 0 && _expressions.IsEmpty;

    public IndexedExpression? Find(FilterExpression expression) => _expressions.GetValueOrDefault(ExpressionKey.Of(expression));

    /// <summary>Takes back what the topic had before the broker was stopped; stays only if it is subscribed to before the next change.</summary>
    public void Restore(StoredExpression stored)
    {
        for (; _idLimit <= stored.Id; _idLimit++)
        {
            _freeIds.Add(_idLimit);
        }

        _freeIds.Remove(stored.Id);
        CountNames(stored.Expression, 1);
        ExpressionKey key = ExpressionKey.Of(stored.Expression);
        _expressions[key] = new IndexedExpression(this, stored.Expression, stored.Id, stored.Since);
        _touched.Add(key);
    }

    /// <summary>One more group wants it.</summary>
    public void Subscribe(FilterExpression expression)
    {
        ExpressionKey key = ExpressionKey.Of(expression);
        int groups = _wanted.TryGetValue(key, out Wanted? wanted) ? wanted.Groups : 0;
        _wanted[key] = new Wanted(expression, groups + 1);
        _touched.Add(key);
    }

    /// <summary>One group fewer wants it.</summary>
    public void Unsubscribe(FilterExpression expression)
    {
        ExpressionKey key = ExpressionKey.Of(expression);
        Wanted wanted = _wanted[key];
        if (wanted.Groups > 1)
        {
            _wanted[key] = wanted with { Groups = wanted.Groups - 1 };
        }
        else
        {
            _wanted.Remove(key);
        }

        _touched.Add(key);
    }

    /// <summary>Makes the next version, which nobody sees yet; null when it would be the same.</summary>
    /// <param name="indexedProperty">See <see cref="FilterVersion.IndexedProperty"/>.</param>
    public TopicFilterChange? Prepare(long generation, string? indexedProperty)
    {
        var added = new List<IndexedExpression>();
        var removed = new List<IndexedExpression>();
        foreach (ExpressionKey key in _touched)
        {
            bool isWanted = _wanted.TryGetValue(key, out Wanted? wanted);
            bool isThere = _expressions.TryGetValue(key, out IndexedExpression? there);
            if (isWanted && !isThere && HasRoomFor(wanted!.Expression) && TakeId() is int id)
            {
                CountNames(wanted.Expression, 1);
                added.Add(new IndexedExpression(this, wanted.Expression, id, generation));
            }
            else if (!isWanted && isThere)
            {
                removed.Add(there!);
            }
        }

        bool isSame = added.Count == 0 && removed.Count == 0
            && (_current is { } current ? current.IndexedProperty == indexedProperty : _expressions.IsEmpty);
        if (isSame)
        {
            CountSubscribers();
            return null;
        }

        return new TopicFilterChange(this, Next(generation, indexedProperty, added, removed), added, removed);
    }

    /// <summary>Puts a prepared version in the place of the one in use.</summary>
    public void Publish(TopicFilterChange change)
    {
        foreach (IndexedExpression expression in change.Removed)
        {
            expression.EndAt(change.Version.Generation);
            _expressions.TryRemove(ExpressionKey.Of(expression.Expression), out _);
            _freeIds.Add(expression.Id);
            CountNames(expression.Expression, -1);
        }

        _current = change.Version;
        foreach (IndexedExpression expression in change.Added)
        {
            _expressions[ExpressionKey.Of(expression.Expression)] = expression;
        }

        CountSubscribers();
    }

    /// <summary>A prepared version is not going to be published: it will be prepared again.</summary>
    public void TakeBack(TopicFilterChange change)
    {
        foreach (IndexedExpression expression in change.Added)
        {
            _freeIds.Add(expression.Id);
            CountNames(expression.Expression, -1);
        }
    }

    private bool HasRoomFor(FilterExpression expression)
    {
        int more = expression.PropertyNames.All.Count(name => !_namedBy.ContainsKey(name));
        return _namedBy.Count + more <= MostNames;
    }

    private void CountNames(FilterExpression expression, int by)
    {
        foreach (string name in expression.PropertyNames.All)
        {
            int count = _namedBy.GetValueOrDefault(name) + by;
            if (count > 0)
            {
                _namedBy[name] = count;
            }
            else
            {
                _namedBy.Remove(name);
            }
        }
    }

    private FilterVersion Next(long generation, string? indexedProperty, List<IndexedExpression> added, List<IndexedExpression> removed)
    {
        if (_current is not { } current
            || current.IndexedProperty != indexedProperty
            || added.Count + removed.Count > Math.Max(MostSingleChanges, current.Index.Count / 4)
            || current.Index.PropertyCount > MostNames
            || current.Index.IsOutgrown)
        {
            var gone = removed.ToHashSet();
            var built = FilterIndex.Build(
                _expressions.Values.Where(each => !gone.Contains(each)).Concat(added)
                    .Select(each => KeyValuePair.Create(each.Id, each.Expression)),
                indexedProperty is null ? null : new FilterIndexOptions { IndexedProperties = [indexedProperty] });
            return new FilterVersion(generation, built, indexedProperty);
        }

        FilterIndex index = removed.Aggregate(current.Index, (index, expression) => index.Without(expression.Id));
        index = added.Aggregate(index, (index, expression) => index.With(expression.Id, expression.Expression));
        return current with { Generation = generation, Index = index };
    }

    private void CountSubscribers()
    {
        foreach (ExpressionKey key in _touched)
        {
            if (_expressions.TryGetValue(key, out IndexedExpression? expression) && _wanted.TryGetValue(key, out Wanted? wanted))
            {
                expression.Groups = wanted.Groups;
            }
        }

        _touched.Clear();
    }

    // Null when all are taken: the expression is evaluated by those who have it, then.
    private int? TakeId()
    {
        if (_freeIds.Count == 0)
        {
            return _idLimit <= FilterIndexOptions.MaxId ? _idLimit++ : null;
        }

        int free = _freeIds.Min;
        _freeIds.Remove(free);
        return free;
    }

    private sealed record Wanted(FilterExpression Expression, int Groups);
}

/// <summary>A version that is ready to take the place of the one in use, and how they differ.</summary>
internal sealed record TopicFilterChange(
    TopicFilters Topic, FilterVersion Version, IReadOnlyList<IndexedExpression> Added, IReadOnlyList<IndexedExpression> Removed);

/// <summary>What makes expressions the same.</summary>
internal readonly record struct ExpressionKey(FilterLanguage Language, string Text)
{
    public static ExpressionKey Of(FilterExpression expression) => new(expression.Language, expression.Text);
}
