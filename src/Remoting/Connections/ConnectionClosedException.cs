namespace GrayMQ.Remoting.Connections;

/// <summary>The connection ended, or could not be made, before an answer came: the request may or may not have been carried out.</summary>
public sealed class ConnectionClosedException : IOException
{
    public ConnectionClosedException(string message)
        : base(message)
    {
    }

    public ConnectionClosedException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public ConnectionClosedException()
    {
    }
}
