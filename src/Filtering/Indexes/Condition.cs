using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>A condition of a clause: how it is found, or else how it is evaluated. Immutable but for what it makes when it is asked.</summary>
internal sealed class Condition
{
    private readonly PropertyNames _names;
    private MessagePredicate? _predicate;

    public Condition(TruthExpression expression, PropertyNames names)
    {
        _names = names;
        Expression = expression;
        Access = Access.Of(expression);
        Slot = Access.Kind == AccessKind.None ? -1 : names.Find(Access.Property.NameUtf8);
    }

    public TruthExpression Expression { get; }

    public Access Access { get; }

    /// <summary>The slot of the property that <see cref="Access"/> is about.</summary>
    public int Slot { get; }

    // Made when it is needed: most conditions are looked up and never evaluated. Names grow, and keep the slots that they have.
    public MessagePredicate Predicate => _predicate ??= PredicateCompiler.CompileShared(Expression, _names);

    public bool IsSameAs(Condition other)
    {
        if (ReferenceEquals(Expression, other.Expression))
        {
            return true;
        }

        return (Expression, other.Expression) switch
        {
            (NumberTest left, NumberTest right) when left.Value != right.Value || left.Comparison != right.Comparison => false,
            (TextEquality { Right: LiteralText left }, TextEquality { Right: LiteralText right }) when !left.Utf8.AsSpan().SequenceEqual(right.Utf8) => false,
            var (left, right) => left.GetType() == right.GetType() && left.Form == right.Form,
        };
    }
}
