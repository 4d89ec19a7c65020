namespace GrayMQ.Protocol.Bodies;

/// <summary>A body that is not what its request promises: no JSON, a wrong type, too large once inflated, cut off.</summary>
public sealed class BodyFormatException : FormatException
{
    public BodyFormatException()
    {
    }

    public BodyFormatException(string message)
        : base(message)
    {
    }

    public BodyFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
