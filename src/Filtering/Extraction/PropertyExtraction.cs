using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Extraction;

/// <summary>
/// What is left of an expression once an indexed property is known: for each value that it is compared with, for any other, and for
/// none. Exactly one of the residuals is to be asked about a message, and it says whether the message matches. Immutable.
/// </summary>
public sealed class PropertyExtraction
{
    /// <summary>An expression that compares the property with more values is not specialised.</summary>
    public const int MaxValues = 256;

    /// <summary>Nor is one whose residuals could have more parts in all: for each value there may be nearly as much left as there was.</summary>
    public const int MaxParts = 500_000;

    private PropertyExtraction(
        string property, IReadOnlyList<ValueResidual> values, TruthExpression anyOther, TruthExpression missing)
    {
        Property = property;
        Values = values;
        AnyOther = anyOther;
        Missing = missing;
    }

    public string Property { get; }

    /// <summary>In the order in which the expression names them.</summary>
    public IReadOnlyList<ValueResidual> Values { get; }

    /// <summary>For messages whose property is there and is none of <see cref="Values"/>.</summary>
    public TruthExpression AnyOther { get; }

    /// <summary>For messages without the property.</summary>
    public TruthExpression Missing { get; }

    /// <summary>Specialises an expression.</summary>
    /// <returns>Null when the expression does not ask for the property, compares it with too many values, or is too large for as many.</returns>
    public static PropertyExtraction? Of(TruthExpression expression, string property)
    {
        var values = new List<byte[]>();
        var known = new HashSet<byte[]>(Utf8Comparer.Instance);
        if (!Collect(expression, property, values, known)
            || values.Count > MaxValues
            || (long)values.Count * expression.Size > MaxParts)
        {
            return null;
        }

        return new PropertyExtraction(
            property,
            [.. values.Select(value => new ValueResidual(value, Specializer.Residual(expression, PropertyBinding.To(property, value))))],
            Specializer.Residual(expression, PropertyBinding.ToAnyOther(property, known)),
            Specializer.Residual(expression, PropertyBinding.ToMissing(property)));
    }

    // Whether the property is asked for at all, and the texts that it is compared with.
    private static bool Collect(Expression expression, string property, List<byte[]> values, HashSet<byte[]> known)
    {
        switch (expression)
        {
            case { UsesProperties: false }:
                return false;
            case PropertyText asked:
                return asked.Name == property;
            case NumberTest { Text: PropertyText read }:
                return read.Name == property;
            case TextEquality { Left: PropertyText left, Right: LiteralText literal } when left.Name == property:
                Add(literal.Utf8);
                return true;
            case TextEquality { Left: LiteralText literal, Right: PropertyText right } when right.Name == property:
                Add(literal.Utf8);
                return true;
            case TextMembership { Text: PropertyText member } membership when member.Name == property:
                foreach (byte[] value in membership.Values.Values)
                {
                    Add(value);
                }

                return true;
            default:
                bool asks = false;
                foreach (Expression operand in expression.Operands)
                {
                    asks |= Collect(operand, property, values, known);
                }

                return asks;
        }

        void Add(byte[] value)
        {
            if (known.Add(value))
            {
                values.Add(value);
            }
        }
    }
}

/// <summary>What is left where the property has this value (UTF-8).</summary>
public sealed record ValueResidual(byte[] Value, TruthExpression Residual);
