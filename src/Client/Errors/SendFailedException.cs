namespace GrayMQ.Client.Errors;

/// <summary>
/// A message was not acknowledged by any broker within its attempts and its time. It may have been stored all the same, where
/// an attempt ended without an answer. The inner exception is that of the last attempt.
/// </summary>
public sealed class SendFailedException : GrayMQException
{
    /// <param name="message">What was tried.</param>
    /// <param name="brokers">The brokers that were tried, in that order.</param>
    /// <param name="innerException">How the last attempt ended.</param>
    public SendFailedException(string message, IReadOnlyList<string> brokers, Exception? innerException)
        : base(message, innerException) => Brokers = brokers;

    /// <inheritdoc cref="SendFailedException"/>
    public SendFailedException()
    {
    }

    /// <inheritdoc cref="SendFailedException"/>
    public SendFailedException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="SendFailedException"/>
    public SendFailedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Names of the brokers that were tried, in that order.</summary>
    public IReadOnlyList<string> Brokers { get; } = [];
}
