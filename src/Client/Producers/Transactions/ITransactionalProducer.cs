using GrayMQ.Client.Errors;

namespace GrayMQ.Client.Producers.Transactions;

/// <summary>Sends messages that are delivered if, and only if, a local transaction is committed.</summary>
public interface ITransactionalProducer
{
    /// <summary>
    /// Stores a message where no consumer sees it, runs the local transaction, and has the message delivered or forgotten by its outcome.
    /// </summary>
    /// <param name="message">Not delayed: transactions and delays do not go together.</param>
    /// <param name="localTransaction">
    /// Runs when the message has been stored, and not at all when that failed. It is handed where, so that the message's id can be
    /// recorded with what the transaction does: the check finds it by that. When it throws, its outcome is unknown, for it may have
    /// been committed: nothing is told to the broker, which will ask, and the exception is thrown on.
    /// </param>
    /// <param name="cancel">Given to the local transaction as well. What was decided is told to the broker in any case.</param>
    /// <exception cref="ArgumentException">The message cannot be sent: its topic, size or properties are wrong, or it is delayed.</exception>
    /// <exception cref="SendFailedException">No broker stored it within the attempts and the time there are.</exception>
    /// <exception cref="BrokerException">A broker refused it for a reason that holds for every broker.</exception>
    /// <exception cref="RouteNotFoundException">The topic does not exist and is not created by sending to it.</exception>
    /// <exception cref="NameServersUnavailableException">No name server answered, and no route is known.</exception>
    Task<TransactionResult> SendAsync(
        Message message,
        Func<SendResult, CancellationToken, ValueTask<TransactionOutcome>> localTransaction,
        CancellationToken cancel = default);
}
