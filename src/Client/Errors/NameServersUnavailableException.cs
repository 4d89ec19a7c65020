namespace GrayMQ.Client.Errors;

/// <summary>
/// None of the name servers answered, or gives out routes. The inner exception is that of the last one asked: a
/// <see cref="BrokerException"/>, with its reason, where one answered that it gives out none now.
/// </summary>
public sealed class NameServersUnavailableException : GrayMQException
{
    /// <inheritdoc cref="NameServersUnavailableException"/>
    public NameServersUnavailableException()
    {
    }

    /// <inheritdoc cref="NameServersUnavailableException"/>
    public NameServersUnavailableException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="NameServersUnavailableException"/>
    public NameServersUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
