using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// A condition of clauses: how it is found, or else how it is evaluated. Made by a <see cref="Vocabulary"/>, so that two which mean the same are
/// one. Immutable but for what it makes when it is asked.
/// </summary>
internal sealed class Condition
{
    private readonly PropertyNames _names;
    private MessagePredicate? _predicate;

    public Condition(int number, TruthExpression expression, PropertyNames names)
    {
        _names = names;
        Number = number;
        Expression = expression;
        Access = Access.Of(expression);
        Slot = Access.Kind == AccessKind.None ? -1 : names.Find(Access.Property.NameUtf8);
    }

    public int Number { get; }

    public TruthExpression Expression { get; }

    public Access Access { get; }

    /// <summary>The slot of the property that <see cref="Access"/> is about.</summary>
    public int Slot { get; }

    // Made when it is needed: most conditions are looked up and never evaluated. Names grow, and keep the slots that they have.
    public MessagePredicate Predicate => _predicate ??= PredicateCompiler.CompileShared(Expression, _names);
}
