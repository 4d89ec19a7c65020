namespace GrayMQ.Filtering.Numbers;

/// <summary>
/// A number, read in one way (<see cref="NumberReading"/>), in the order of that way. Whole numbers of <see cref="NumberReading.Int32"/> and
/// <see cref="NumberReading.Int64"/> are their own key; a double is its bits, arranged so that they order as whole numbers do; a whole number
/// read as decimal is the nearest double and what is missing from it, so that it compares with doubles without being rounded.
/// </summary>
public readonly record struct NumberKey(long High, int Low) : IComparable<NumberKey>
{
    public static NumberKey Lowest { get; } = new(long.MinValue, int.MinValue);

    public static NumberKey Highest { get; } = new(long.MaxValue, int.MaxValue);

    public static bool operator <(NumberKey left, NumberKey right) => left.CompareTo(right) < 0;

    public static bool operator <=(NumberKey left, NumberKey right) => left.CompareTo(right) <= 0;

    public static bool operator >(NumberKey left, NumberKey right) => left.CompareTo(right) > 0;

    public static bool operator >=(NumberKey left, NumberKey right) => left.CompareTo(right) >= 0;

    public static NumberKey OfWhole(long value) => new(value, 0);

    /// <summary>In the order of Java's Double.compareTo.</summary>
    public static NumberKey OfJavaDouble(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(double.IsNaN(value) ? BitConverter.Int64BitsToDouble(0x7FF8_0000_0000_0000) : value);
        return new(bits ^ ((bits >> 63) & long.MaxValue), 0);
    }

    /// <summary>A finite decimal; -0 is 0.</summary>
    public static NumberKey OfDecimal(double value) => OfJavaDouble(value + 0.0);

    public static NumberKey OfDecimal(long value)
    {
        if (value is >= 0 and < 1L << 53)
        {
            // Every one of these is a double.
            return new(BitConverter.DoubleToInt64Bits(value), 0);
        }

        double nearest = value;
        NumberKey key = OfDecimal(nearest);

        // 2^63 itself is no long: what is nearest to it lies below.
        long rest = nearest >= 9.2233720368547758E18 ? value - long.MaxValue - 1 : value - (long)nearest;
        return key with { Low = (int)rest };
    }

    /// <summary>The next key in the order: nothing that can be read lies between.</summary>
    public NumberKey Next => this with { Low = Low + 1 };

    /// <summary>The key before this one in the order.</summary>
    public NumberKey Previous => this with { Low = Low - 1 };

    public int CompareTo(NumberKey other)
    {
        int order = High.CompareTo(other.High);
        return order != 0 ? order : Low.CompareTo(other.Low);
    }
}
