using GrayMQ.Client.Consumers.Popping;

namespace GrayMQ.Client.Errors;

/// <summary>Some of several messages could not be acknowledged: they will come again. The inner exception is that of one of them.</summary>
public sealed class AckException : GrayMQException
{
    /// <param name="message">What went wrong.</param>
    /// <param name="failed">The handles that may not have been taken.</param>
    /// <param name="innerException">How one of the requests ended.</param>
    public AckException(string message, IReadOnlyList<ReceiptHandle> failed, Exception? innerException)
        : base(message, innerException) => Failed = failed;

    /// <inheritdoc cref="AckException"/>
    public AckException()
    {
    }

    /// <inheritdoc cref="AckException"/>
    public AckException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="AckException"/>
    public AckException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The handles that may not have been taken; acknowledging them again does no harm.</summary>
    public IReadOnlyList<ReceiptHandle> Failed { get; } = [];
}
