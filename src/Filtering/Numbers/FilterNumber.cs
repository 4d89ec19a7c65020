using System.Globalization;

namespace GrayMQ.Filtering.Numbers;

/// <summary>A number of HEADER: whole (64 bits) or not (a finite double), or none. What is no number makes comparisons false.</summary>
public readonly record struct FilterNumber
{
    private readonly long _whole;
    private readonly double _fraction;
    private readonly Kind _kind;

    public FilterNumber(long value)
    {
        _whole = value;
        _kind = Kind.Whole;
    }

    /// <param name="value">A value that is not finite is none.</param>
    public FilterNumber(double value)
    {
        if (double.IsFinite(value))
        {
            _fraction = value;
            _kind = Kind.Fraction;
        }
    }

    private enum Kind : byte
    {
        None,
        Whole,
        Fraction,
    }

    public static FilterNumber None => default;

    public bool IsNumber => _kind != Kind.None;

    public bool IsWhole => _kind == Kind.Whole;

    public NumberKey Key => _kind == Kind.Whole ? NumberKey.OfDecimal(_whole) : NumberKey.OfDecimal(_fraction);

    /// <summary>The value as an index into a text; -1 when it is none.</summary>
    public int Index => _kind == Kind.Whole && _whole is >= 0 and <= int.MaxValue ? (int)_whole : -1;

    private double AsDouble => _kind == Kind.Whole ? _whole : _fraction;

    /// <summary>As Java computes, whole numbers with whole results; overflow and division by zero give none.</summary>
    public static FilterNumber Compute(ArithmeticOperator operation, FilterNumber left, FilterNumber right)
    {
        if (!left.IsNumber || !right.IsNumber)
        {
            return None;
        }

        return left.IsWhole && right.IsWhole
            ? ComputeWhole(operation, left._whole, right._whole)
            : new FilterNumber(operation switch
            {
                ArithmeticOperator.Add => left.AsDouble + right.AsDouble,
                ArithmeticOperator.Subtract => left.AsDouble - right.AsDouble,
                ArithmeticOperator.Multiply => left.AsDouble * right.AsDouble,
                ArithmeticOperator.Divide => left.AsDouble / right.AsDouble,
                _ => left.AsDouble % right.AsDouble,
            });
    }

    public override string ToString() => _kind switch
    {
        Kind.Whole => _whole.ToString(CultureInfo.InvariantCulture),
        Kind.Fraction => _fraction.ToString("R", CultureInfo.InvariantCulture) + "d",
        _ => "none",
    };

    private static FilterNumber ComputeWhole(ArithmeticOperator operation, long left, long right)
    {
        Int128 result;
        switch (operation)
        {
            case ArithmeticOperator.Add:
                result = (Int128)left + right;
                break;
            case ArithmeticOperator.Subtract:
                result = (Int128)left - right;
                break;
            case ArithmeticOperator.Multiply:
                result = (Int128)left * right;
                break;
            default:
                if (right == 0)
                {
                    return None;
                }

                result = operation == ArithmeticOperator.Divide ? (Int128)left / right : (Int128)left % right;
                break;
        }

        return result >= long.MinValue && result <= long.MaxValue ? new FilterNumber((long)result) : None;
    }
}
