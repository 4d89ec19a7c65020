using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers.Transactions;

/// <summary>
/// Tells how local transactions ended, when a broker asks: after a producer was killed, or its word was lost. Any producer of the group
/// may be asked, also one that has been started since, so that the answer has to come from where all of them look, a database for instance.
/// </summary>
public interface ITransactionChecker
{
    /// <summary>Looks up a transaction. An exception counts as <see cref="TransactionOutcome.Unknown"/>.</summary>
    /// <param name="message">The message as it was sent; its id is that of the send's result.</param>
    /// <param name="cancel">Cancelled when the producer is disposed.</param>
    ValueTask<TransactionOutcome> CheckAsync(ReceivedMessage message, CancellationToken cancel);
}
