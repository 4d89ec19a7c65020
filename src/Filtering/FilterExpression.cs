using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Header;
using GrayMQ.Filtering.Properties;
using GrayMQ.Filtering.Sql92;

namespace GrayMQ.Filtering;

/// <summary>A condition on message properties, parsed. Immutable.</summary>
public sealed class FilterExpression
{
    // More properties than that are not read on the stack.
    private const int MaxStackSlots = 64;

    private MessagePredicate? _predicate;

    private FilterExpression(FilterLanguage language, string text, TruthExpression root)
    {
        Language = language;
        Text = text;
        Root = root;
        var names = new List<string>();
        AddNames(root, names);
        PropertyNames = PropertyNames.None.With(names);
    }

    public FilterLanguage Language { get; }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public TruthExpression Root { get; }

    /// <summary>The properties that it asks for.</summary>
    public PropertyNames PropertyNames { get; }

    /// <exception cref="ExpressionSyntaxException">It cannot be understood, or exceeds <see cref="FilterLimits"/>.</exception>
    public static FilterExpression Parse(FilterLanguage language, string text)
    {
        if (text.Length > FilterLimits.MaxLength)
        {
            throw new ExpressionSyntaxException(
                $"the expression has {text.Length} characters: {FilterLimits.MaxLength} are the limit");
        }

        return new FilterExpression(
            language, text, language == FilterLanguage.Sql92 ? Sql92Parser.Parse(text) : HeaderParser.Parse(text));
    }

    /// <summary>Whether a message matches. Compiled at the first call; allocates nothing afterwards.</summary>
    /// <param name="properties">The message's properties as they are stored; see <see cref="PropertyBytes"/>.</param>
    [SkipLocalsInit]
    public bool Matches(ReadOnlySpan<byte> properties)
    {
        Span<PropertySlot> slots = PropertyNames.Count <= MaxStackSlots
            ? stackalloc PropertySlot[MaxStackSlots]
            : new PropertySlot[PropertyNames.Count];
        var reader = new PropertyReader(properties, PropertyNames, slots);
        MessagePredicate predicate = _predicate ??= PredicateCompiler.Compile(Root, PropertyNames);
        return predicate(ref reader);
    }

    public override string ToString() => Text;

    private static void AddNames(Expression expression, List<string> names)
    {
        if (expression is PropertyText property)
        {
            names.Add(property.Name);
            return;
        }

        if (expression.UsesProperties)
        {
            foreach (Expression operand in expression.Operands)
            {
                AddNames(operand, names);
            }
        }
    }
}
