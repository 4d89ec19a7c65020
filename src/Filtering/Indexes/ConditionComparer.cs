using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>Whether conditions mean the same. Those that compare one property with one value are told apart without writing them out.</summary>
internal sealed class ConditionComparer : IEqualityComparer<TruthExpression>
{
    public static ConditionComparer Instance { get; } = new();

    public bool Equals(TruthExpression? x, TruthExpression? y) => ReferenceEquals(x, y) || (x, y) switch
    {
        (NumberTest { Text: PropertyText left } a, NumberTest { Text: PropertyText right } b) =>
            a.Value == b.Value && a.Comparison == b.Comparison && a.Reading == b.Reading
            && a.IfMissing == b.IfMissing && a.IfNoNumber == b.IfNoNumber && left.Name == right.Name,
        (TextEquality { Left: PropertyText left, Right: LiteralText l } a, TextEquality { Left: PropertyText right, Right: LiteralText r } b) =>
            l.Utf8.AsSpan().SequenceEqual(r.Utf8) && a.IfLeftMissing == b.IfLeftMissing && left.Name == right.Name,
        (null, _) or (_, null) => false,
        _ => x.GetType() == y.GetType() && x.Form == y.Form,
    };

    public int GetHashCode(TruthExpression obj) => obj switch
    {
        NumberTest { Text: PropertyText text } test => HashCode.Combine(test.Value, test.Comparison, text.Name),
        TextEquality { Left: PropertyText text, Right: LiteralText literal } => HashCode.Combine(Utf8Hash.Of(literal.Utf8), text.Name),
        _ => obj.Form.GetHashCode(StringComparison.Ordinal),
    };
}
