namespace GrayMQ.Filtering;

/// <summary>A subscription expression that cannot be understood; the message says why.</summary>
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
}
