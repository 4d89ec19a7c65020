namespace GrayMQ.Filtering;

/// <summary>A subscription expression that cannot be understood; the message says why, and where that is known in which column.</summary>
public sealed class ExpressionSyntaxException : FormatException
{
    public ExpressionSyntaxException()
    {
    }

    public ExpressionSyntaxException(string message)
        : base(message)
    {
    }

    public ExpressionSyntaxException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <param name="column">Counted from 1, in UTF-16 units.</param>
    public ExpressionSyntaxException(int column, string message)
        : base($"column {column}: {message}") => Column = column;

    /// <summary>Where the mistake is, counted from 1; 0 when it is in no place of its own.</summary>
    public int Column { get; }
}
