namespace GrayMQ.Filtering.Numbers;

/// <summary>How a text is read as a number, and with that how numbers are compared.</summary>
public enum NumberReading : byte
{
    /// <summary>Java's Integer.valueOf: what SQL92 compares with a literal of 32 bits.</summary>
    Int32,

    /// <summary>Java's Long.valueOf: what SQL92 compares with a literal of 64 bits.</summary>
    Int64,

    /// <summary>Java's Double.valueOf and Double.compareTo: NaN equals itself and is greater than all, -0 is less than 0.</summary>
    JavaDouble,

    /// <summary>HEADER: a decimal number, whole or not, compared by value without rounding.</summary>
    Decimal,
}
