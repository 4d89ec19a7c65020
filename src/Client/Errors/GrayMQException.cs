namespace GrayMQ.Client.Errors;

/// <summary>What goes wrong between a client and its servers, other than time-outs and broken connections.</summary>
public class GrayMQException : Exception
{
    /// <inheritdoc cref="GrayMQException"/>
    public GrayMQException()
    {
    }

    /// <inheritdoc cref="GrayMQException"/>
    public GrayMQException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="GrayMQException"/>
    public GrayMQException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
