namespace GrayMQ.Client.Errors;

/// <summary>No name server knows a broker for a topic, or none for a queue of it.</summary>
public sealed class RouteNotFoundException : GrayMQException
{
    /// <inheritdoc cref="RouteNotFoundException"/>
    public RouteNotFoundException()
    {
    }

    /// <inheritdoc cref="RouteNotFoundException"/>
    public RouteNotFoundException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="RouteNotFoundException"/>
    public RouteNotFoundException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
