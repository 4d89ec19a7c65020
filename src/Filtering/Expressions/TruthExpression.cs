using System.Text;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Expressions;

/// <summary>A condition.</summary>
public abstract class TruthExpression : Expression
{
    private protected TruthExpression(SourceSpan span, OutcomeSet possible, params ReadOnlySpan<Expression> operands)
        : base(span, operands) => Possible = possible;

    /// <summary>The outcomes that it can have; it need not have each of them for some message.</summary>
    public OutcomeSet Possible { get; }

    // How a condition that answers a missing text with something else than false says so.
    private protected static string Unless(string what, Outcome outcome) =>
        outcome == Outcome.False ? "" : $" [{what} {outcome.ToString().ToLowerInvariant()}]";
}

/// <summary>Decided already.</summary>
public sealed class ConstantTruth(SourceSpan span, Outcome value) : TruthExpression(span, value.ToSet())
{
    public Outcome Value { get; } = value;

    public override IReadOnlyList<Expression> Operands => [];

    internal override void Write(StringBuilder form) => form.Append(Value switch
    {
        Outcome.True => "true",
        Outcome.False => "false",
        Outcome.Null => "null",
        _ => "error",
    });
}

/// <summary>All of the operands (AND), or one of them (OR): evaluated from the left, as far as needed.</summary>
public sealed class JunctionTruth : TruthExpression
{
    public JunctionTruth(SourceSpan span, bool isAnd, params IReadOnlyList<TruthExpression> operands)
        : base(span, PossibleOf(isAnd, operands), [.. operands])
    {
        IsAnd = isAnd;
        Operands = operands;
    }

    public bool IsAnd { get; }

    public override IReadOnlyList<TruthExpression> Operands { get; }

    internal override void Write(StringBuilder form)
    {
        string before = "(";
        foreach (TruthExpression operand in Operands)
        {
            Put(form, $"{before}{operand}");
            before = IsAnd ? " && " : " || ";
        }

        form.Append(')');
    }

    private static OutcomeSet PossibleOf(bool isAnd, IReadOnlyList<TruthExpression> operands)
    {
        OutcomeSet possible = operands[0].Possible;
        for (int i = 1; i < operands.Count; i++)
        {
            possible = OutcomeAlgebra.Combine(possible, operands[i].Possible, isAnd ? OutcomeAlgebra.And : OutcomeAlgebra.Or);
        }

        return possible;
    }
}

/// <summary>A condition's outcome, turned into another one: NOT, IS NULL.</summary>
public sealed class MappedTruth(SourceSpan span, OutcomeMap map, TruthExpression operand)
    : TruthExpression(span, map.Of(operand.Possible), operand)
{
    public OutcomeMap Map { get; } = map;

    public TruthExpression Operand { get; } = operand;

    public override IReadOnlyList<Expression> Operands => [Operand];

    internal override void Write(StringBuilder form)
    {
        if (Map == OutcomeMap.Not)
        {
            Put(form, $"!{Operand}");
        }
        else
        {
            Put(form, $"{Map.ToString()}({Operand})");
        }
    }
}

/// <summary>Whether two conditions have the same outcome; see <see cref="OutcomeAlgebra.Equal"/>.</summary>
public sealed class TruthEquality(SourceSpan span, TruthExpression left, TruthExpression right)
    : TruthExpression(span, OutcomeAlgebra.Combine(left.Possible, right.Possible, OutcomeAlgebra.Equal), left, right)
{
    public TruthExpression Left { get; } = left;

    public TruthExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"({Left} == {Right})");
}

/// <summary>One condition or another.</summary>
public sealed class ChosenTruth(SourceSpan span, TruthExpression condition, TruthExpression then, TruthExpression otherwise)
    : TruthExpression(span, then.Possible | otherwise.Possible | (condition.Possible & OutcomeSet.Error), condition, then, otherwise)
{
    public TruthExpression Condition { get; } = condition;

    public TruthExpression Then { get; } = then;

    public TruthExpression Otherwise { get; } = otherwise;

    public override IReadOnlyList<Expression> Operands => [Condition, Then, Otherwise];

    internal override void Write(StringBuilder form) => Put(form, $"({Condition} ? {Then} : {Otherwise})");
}
