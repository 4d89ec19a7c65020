namespace GrayMQ.Protocol.Commands;

/// <summary>A header field that is missing or does not hold what was expected; the message names the field.</summary>
public sealed class HeaderFieldException : Exception
{
    public HeaderFieldException(string message)
        : base(message)
    {
    }

    public HeaderFieldException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public HeaderFieldException()
    {
    }
}
