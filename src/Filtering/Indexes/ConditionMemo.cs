using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Which conditions hold for one message, as far as that is known: whatever clauses share is evaluated once. Used again and again by one
/// thread.
/// </summary>
internal sealed class ConditionMemo
{
    // By number: the message it is known for, shifted by one, and whether it holds.
    private int[] _known = [];
    private Condition[] _conditions = [];
    private int _message;

    /// <summary>Conditions that were evaluated for this message.</summary>
    public int Evaluations { get; private set; }

    /// <summary>Forgets what was known, for another message.</summary>
    public void Begin(Vocabulary vocabulary)
    {
        Evaluations = 0;
        _conditions = vocabulary.Conditions;
        if (_known.Length < _conditions.Length || _message == int.MaxValue >> 1)
        {
            _known = new int[_conditions.Length];
            _message = 0;
        }

        _message++;
    }

    /// <summary>Whether all of them hold.</summary>
    public bool Holds(ReadOnlySpan<int> numbers, ref PropertyReader reader)
    {
        foreach (int number in numbers)
        {
            if (!Holds(number, ref reader))
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Holds(int number, ref PropertyReader reader)
    {
        int known = _known[number];
        return known >> 1 == _message ? (known & 1) != 0 : Evaluate(number, ref reader);
    }

    private bool Evaluate(int number, ref PropertyReader reader)
    {
        Evaluations++;
        bool holds = _conditions[number].Predicate(ref reader);
        _known[number] = (_message << 1) | (holds ? 1 : 0);
        return holds;
    }
}
