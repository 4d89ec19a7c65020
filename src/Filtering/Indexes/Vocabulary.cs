using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// What the clauses of an index are made of: property names, which have slots, and conditions, which have numbers, each once however many
/// clauses it stands in. It only grows, and is shared by the versions of an index that come from each other.
/// </summary>
internal sealed class Vocabulary
{
    // What changes may leave behind in any index.
    private const int FewConditions = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<TruthExpression, Condition> _byExpression = new(ConditionComparer.Instance);
    private Condition[] _conditions = new Condition[16];
    private PropertyNames _names;
    private volatile int _count;
    private int _countWhenBuilt;

    public Vocabulary(IEnumerable<string> names) => _names = PropertyNames.None.With(names);

    public PropertyNames Names => Volatile.Read(ref _names);

    /// <summary>Conditions that it has.</summary>
    public int Count => _count;

    /// <summary>Whether changes have left so many conditions behind that building the index anew is worth it.</summary>
    public bool IsOutgrown => _count > (_countWhenBuilt * 2) + FewConditions;

    /// <summary>By number; those below <see cref="Count"/> are there. To be read again for every message.</summary>
    public Condition[] Conditions => Volatile.Read(ref _conditions);

    /// <summary>All that the subscriptions are made of is there: what comes later comes with changes.</summary>
    public void OnBuilt() => _countWhenBuilt = _count;

    /// <exception cref="InvalidOperationException">There would be more names than there are slots.</exception>
    public void AddNames(IEnumerable<FilterExpression> expressions)
    {
        lock (_lock)
        {
            Volatile.Write(ref _names, _names.With(expressions.SelectMany(expression => expression.PropertyNames.All)));
        }
    }

    /// <param name="expression">Its properties are among <see cref="Names"/>.</param>
    public Condition Get(TruthExpression expression)
    {
        lock (_lock)
        {
            if (!_byExpression.TryGetValue(expression, out Condition? condition))
            {
                condition = new Condition(_count, expression, _names);
                _byExpression.Add(expression, condition);
                if (_count == _conditions.Length)
                {
                    Condition[] longer = new Condition[_count * 2];
                    _conditions.CopyTo(longer, 0);
                    Volatile.Write(ref _conditions, longer);
                }

                _conditions[_count] = condition;
                _count++;
            }

            return condition;
        }
    }
}
