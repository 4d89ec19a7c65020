using GrayMQ.Filtering.Compilation;

namespace GrayMQ.Filtering.Indexes;

/// <summary>Subscriptions that a message matches when all conditions hold, which are evaluated one after the other. Immutable.</summary>
internal sealed class IndexEntry
{
    private readonly MessagePredicate[] _predicates;

    public IndexEntry(Condition[] conditions, int[] ids)
        : this(conditions, [.. conditions.Select(condition => condition.Predicate)], ids)
    {
    }

    private IndexEntry(Condition[] conditions, MessagePredicate[] predicates, int[] ids)
    {
        Conditions = conditions;
        _predicates = predicates;
        Ids = ids;
    }

    public Condition[] Conditions { get; }

    public int[] Ids { get; }

    public ReadOnlySpan<MessagePredicate> Predicates => _predicates;

    public IndexEntry With(int[] ids) => new(Conditions, _predicates, ids);

    public bool HasConditions(ReadOnlySpan<Condition> conditions)
    {
        if (conditions.Length != Conditions.Length)
        {
            return false;
        }

        for (int i = 0; i < conditions.Length; i++)
        {
            if (!conditions[i].IsSameAs(Conditions[i]))
            {
                return false;
            }
        }

        return true;
    }
}
