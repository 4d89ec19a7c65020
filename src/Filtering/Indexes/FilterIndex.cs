using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Which of many subscriptions a message matches, asked once for all of them: the subscriptions are the table, and the message is the
/// query. What a question costs follows what the message has and matches, not how many subscriptions there are. A version
/// never changes; <see cref="With"/> and <see cref="Without"/> make the next one beside it, which shares all but the path to the change.
/// </summary>
public sealed class FilterIndex
{
    // More properties than that are not read on the stack.
    private const int MaxStackSlots = 128;

    private readonly FilterIndexOptions _options;
    private readonly Vocabulary _vocabulary;
    private readonly PropertyNames _names;
    private readonly int[] _indexedSlots;
    private readonly ImmutableDictionary<int, FilterExpression> _subscriptions;

    private FilterIndex(
        FilterIndexOptions options,
        Vocabulary vocabulary,
        int[] indexedSlots,
        IndexNode root,
        ImmutableDictionary<int, FilterExpression> subscriptions,
        int idLimit)
    {
        _options = options;
        _vocabulary = vocabulary;
        _names = vocabulary.Names;
        _indexedSlots = indexedSlots;
        Root = root;
        _subscriptions = subscriptions;
        IdLimit = idLimit;
    }

    /// <summary>Subscriptions in it.</summary>
    public int Count => _subscriptions.Count;

    /// <summary>Clauses in it: what subscriptions came apart into.</summary>
    public int ClauseCount => Root.Count;

    /// <summary>Properties that its subscriptions name, or named: a change drops none.</summary>
    public int PropertyCount => _names.Count;

    /// <summary>Whether changes have left so much behind that building it anew is worth it: they drop nothing that an older version may need.</summary>
    public bool IsOutgrown => _vocabulary.IsOutgrown;

    /// <summary>Every id that was ever in it is below.</summary>
    public int IdLimit { get; }

    internal IndexNode Root { get; }

    public static FilterIndex Create(FilterIndexOptions? options = null)
    {
        options ??= new FilterIndexOptions();
        var vocabulary = new Vocabulary(options.IndexedProperties);
        int[] slots = [.. options.IndexedProperties.Select(vocabulary.Names.Find)];
        return new FilterIndex(options, vocabulary, slots, IndexNode.Empty, ImmutableDictionary<int, FilterExpression>.Empty, 0);
    }

    /// <summary>An index of many subscriptions at once: cheaper than adding one after the other.</summary>
    /// <param name="subscriptions">Each id once; see <see cref="FilterIndexOptions.MaxId"/>.</param>
    public static FilterIndex Build(IEnumerable<KeyValuePair<int, FilterExpression>> subscriptions, FilterIndexOptions? options = null)
    {
        FilterIndex empty = Create(options);
        var byId = ImmutableDictionary.CreateBuilder<int, FilterExpression>();
        byId.AddRange(subscriptions);
        empty._vocabulary.AddNames(byId.Values);

        // Expressions that are written alike have everything in common but their subscribers, and so have clauses.
        var clauses = new OrderedDictionary<Condition[], Clause>(ClauseComparer.Instance);
        foreach (IGrouping<(FilterLanguage, string), KeyValuePair<int, FilterExpression>> same in
            byId.GroupBy(subscription => (subscription.Value.Language, subscription.Value.Text)))
        {
            int[] ids = [.. same.Select(subscription => subscription.Key)];
            List<Condition[]> parts = ClauseBuilder.Build(same.First().Value, empty._options.IndexedProperties, empty._vocabulary);
            foreach (Condition[] conditions in parts)
            {
                if (!clauses.TryGetValue(conditions, out Clause? clause))
                {
                    clauses.Add(conditions, clause = new Clause());
                }

                clause.Ids.AddRange(ids);
                clause.Places = Math.Max(clause.Places, parts.Count);
            }
        }

        IndexNode root = IndexNode.Empty;
        var change = new IndexChange(empty._indexedSlots);
        foreach ((Condition[] conditions, Clause clause) in clauses)
        {
            root = change.Add(root, new IndexEntry(conditions, [.. clause.Ids], clause.Places));
        }

        empty._vocabulary.OnBuilt();
        int limit = byId.Count == 0 ? 0 : CheckId(byId.Keys.Max()) + 1;
        _ = byId.Count == 0 ? 0 : CheckId(byId.Keys.Min());
        return new FilterIndex(empty._options, empty._vocabulary, empty._indexedSlots, root, byId.ToImmutable(), limit);
    }

    /// <summary>The index with a subscription, in place of the one that had the id, if there was one.</summary>
    /// <param name="id">See <see cref="FilterIndexOptions.MaxId"/>.</param>
    public FilterIndex With(int id, FilterExpression expression)
    {
        FilterIndex others = Without(CheckId(id));
        _vocabulary.AddNames([expression]);
        IndexNode root = others.Root;
        var change = new IndexChange(_indexedSlots);
        List<Condition[]> clauses = ClauseBuilder.Build(expression, _options.IndexedProperties, _vocabulary);
        foreach (Condition[] conditions in clauses)
        {
            root = change.Add(root, new IndexEntry(conditions, [id], clauses.Count));
        }

        return new FilterIndex(
            _options, _vocabulary, _indexedSlots, root, others._subscriptions.Add(id, expression), Math.Max(IdLimit, id + 1));
    }

    /// <summary>The index without a subscription; this one when there is no such subscription.</summary>
    public FilterIndex Without(int id)
    {
        if (!_subscriptions.TryGetValue(id, out FilterExpression? expression))
        {
            return this;
        }

        IndexNode root = Root;
        var change = new IndexChange(_indexedSlots);
        foreach (Condition[] clause in ClauseBuilder.Build(expression, _options.IndexedProperties, _vocabulary))
        {
            root = change.Remove(root, clause, id)
                ?? throw new InvalidOperationException($"the clauses of subscription {id} are not where they were put: {expression.Text}");
        }

        return new FilterIndex(_options, _vocabulary, _indexedSlots, root, _subscriptions.Remove(id), IdLimit);
    }

    public FilterExpression? Find(int id) => _subscriptions.GetValueOrDefault(id);

    /// <summary>Finds the subscriptions that a message matches. Allocates nothing once <paramref name="matches"/> has its size.</summary>
    /// <param name="properties">The message's properties as they are stored; see <see cref="PropertyBytes"/>.</param>
    /// <param name="matches">Cleared first.</param>
    [SkipLocalsInit]
    public void Match(ReadOnlySpan<byte> properties, MatchSet matches)
    {
        matches.Clear();
        matches.Reserve(IdLimit);
        matches.Memo.Begin(_vocabulary);
        PropertySlot[]? rented = null;
        Span<PropertySlot> slots = _names.Count <= MaxStackSlots
            ? stackalloc PropertySlot[MaxStackSlots]
            : rented = ArrayPool<PropertySlot>.Shared.Rent(_names.Count);
        var reader = new PropertyReader(properties, _names, slots);
        reader.ResolveAll();
        Root.Match(ref reader, matches);
        if (rented is not null)
        {
            ArrayPool<PropertySlot>.Shared.Return(rented);
        }
    }

    private static int CheckId(int id) =>
        id is >= 0 and <= FilterIndexOptions.MaxId
            ? id
            : throw new ArgumentOutOfRangeException(nameof(id), id, $"ids are numbered from 0 to {FilterIndexOptions.MaxId}");

    private sealed class Clause
    {
        public List<int> Ids { get; } = [];

        /// <summary>See <see cref="IndexEntry.Places"/>.</summary>
        public int Places { get; set; }
    }
}
