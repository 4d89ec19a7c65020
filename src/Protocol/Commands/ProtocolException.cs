namespace GrayMQ.Protocol.Commands;

/// <summary>Bytes that are no command: the stream cannot be trusted any further, and the connection is closed.</summary>
public sealed class ProtocolException : Exception
{
    public ProtocolException(string message)
        : base(message)
    {
    }

    public ProtocolException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public ProtocolException()
    {
    }
}
