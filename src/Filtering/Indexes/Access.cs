using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Indexes;

/// <summary>How a condition can be found by a message's value of one property, if it can.</summary>
internal readonly record struct Access(AccessKind Kind, PropertyText Property)
{
    /// <summary>A list with more texts is not taken apart.</summary>
    public const int MaxTexts = 64;

    public static Access None => default;

    /// <summary>Of <see cref="AccessKind.Text"/>: the texts of which the property has to be one.</summary>
    public IReadOnlyList<byte[]> Texts { get; private init; } = [];

    /// <summary>Of a number or a range: how the property is read.</summary>
    public NumberReading Reading { get; private init; }

    /// <summary>Of a number, or the lower end of a range, which belongs to it.</summary>
    public NumberKey Low { get; private init; }

    /// <summary>The upper end of a range, which belongs to it.</summary>
    public NumberKey High { get; private init; }

    public static Access Of(TruthExpression condition)
    {
        switch (condition)
        {
            case TextEquality { Left: PropertyText property, Right: LiteralText literal, IfLeftMissing: not Outcome.True }:
                return new Access(AccessKind.Text, property) { Texts = [literal.Utf8] };
            case TextEquality { Left: LiteralText literal, Right: PropertyText property }:
                return new Access(AccessKind.Text, property) { Texts = [literal.Utf8] };
            case TextMembership { Text: PropertyText property, IsNegated: false, IfMissing: not Outcome.True } list
                when list.Values.Values.Count <= MaxTexts:
                return new Access(AccessKind.Text, property) { Texts = list.Values.Values };
            case NumberTest { Text: PropertyText property, IfMissing: not Outcome.True, IfNoNumber: not Outcome.True } test:
                return Of(property, test);
            default:
                return None;
        }
    }

    /// <summary>The part that two ranges of one property have in common; empty when <see cref="Low"/> is above <see cref="High"/>.</summary>
    public Access And(Access other) => this with
    {
        Low = Low > other.Low ? Low : other.Low,
        High = High < other.High ? High : other.High,
    };

    private static Access Of(PropertyText property, NumberTest test)
    {
        (NumberKey low, NumberKey high) = test.Comparison switch
        {
            ComparisonOperator.Less => (NumberKey.Lowest, test.Value.Previous),
            ComparisonOperator.LessOrEqual => (NumberKey.Lowest, test.Value),
            ComparisonOperator.Greater => (test.Value.Next, NumberKey.Highest),
            ComparisonOperator.GreaterOrEqual => (test.Value, NumberKey.Highest),
            _ => (test.Value, test.Value),
        };
        return test.Comparison == ComparisonOperator.NotEqual
            ? None
            : new Access(test.Comparison == ComparisonOperator.Equal ? AccessKind.Number : AccessKind.Range, property)
            {
                Reading = test.Reading,
                Low = low,
                High = high,
            };
    }
}

internal enum AccessKind
{
    None,
    Text,
    Number,
    Range,
}
