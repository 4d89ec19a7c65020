using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Producers.Transactions;

/// <summary>
/// Sends messages that are delivered if, and only if, a local transaction is committed. Brokers that did not hear of a transaction's end
/// ask the producers of the group, to which it listens from its start on. It may be used from any number of threads at once.
/// </summary>
public sealed class TransactionalProducer : ITransactionalProducer, IAsyncDisposable
{
    private readonly Producer _producer;
    private readonly TransactionChecks _checks;
    private readonly byte[] _groupUtf8;
    private readonly ILogger _logger;

    /// <param name="options">
    /// Read here: changes made afterwards have no effect. The group is what brokers find producers by, so it must be the same for all that
    /// can answer for each other's transactions, and of no other.
    /// </param>
    /// <param name="checker">Asked for the outcome of transactions whose end a broker has not heard of.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public TransactionalProducer(
        ProducerOptions options, ITransactionChecker checker, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(checker);
        options.Validate();
        loggers ??= NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger<TransactionalProducer>();
        _groupUtf8 = Encoding.UTF8.GetBytes(options.Group);
        _checks = new TransactionChecks(checker, options.Group, options.RequestTimeout, _logger);
        _producer = new Producer(options, _checks.AddTo(new RequestTable()), loggers, time);
    }

    /// <inheritdoc cref="TransactionalProducer(ProducerOptions, ITransactionChecker, ILoggerFactory?, TimeProvider?)"/>
    public TransactionalProducer(
        ProducerOptions options,
        Func<ReceivedMessage, CancellationToken, ValueTask<TransactionOutcome>> checker,
        ILoggerFactory? loggers = null,
        TimeProvider? time = null)
        : this(options, new DelegateChecker(checker), loggers, time)
    {
    }

    /// <summary>The id that brokers know this producer by.</summary>
    public string ClientId => _producer.ClientId;

    /// <summary>
    /// Makes this producer known to the brokers of topics, so that they can ask it about transactions of its group before it has sent
    /// anything: after a restart, for instance. A topic whose route cannot be had now becomes known with the first message sent to it.
    /// </summary>
    /// <param name="topics">The topics that the group sends to.</param>
    /// <param name="cancel">Gives up waiting.</param>
    public Task StartAsync(IEnumerable<string> topics, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(topics);
        return _producer.IntroduceAsync([.. topics], cancel);
    }

    /// <inheritdoc/>
    public async Task<TransactionResult> SendAsync(
        Message message,
        Func<SendResult, CancellationToken, ValueTask<TransactionOutcome>> localTransaction,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(localTransaction);
        if (message.IsDelayed)
        {
            throw new ArgumentException("the message is delayed: a message of a transaction cannot be", nameof(message));
        }

        using Gate.Pass pass = _producer.Enter();
        (SendResult sent, string? address) = await _producer.PrepareAsync(message, cancel).ConfigureAwait(false);
        TransactionOutcome outcome = sent.Status == SendStatus.Ok
            ? await RunAsync(sent, localTransaction, cancel).ConfigureAwait(false)
            : TransactionOutcome.Rollback;
        bool concluded = await TryEndAsync(message, sent, address, outcome).ConfigureAwait(false);
        return new TransactionResult { Sent = sent, Outcome = outcome, IsConcluded = concluded };
    }

    /// <summary>Refuses new sends, lets those under way end, answers no further checks, tells the brokers and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _checks.Dispose();
        await _producer.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<TransactionOutcome> RunAsync(
        SendResult sent,
        Func<SendResult, CancellationToken, ValueTask<TransactionOutcome>> localTransaction,
        CancellationToken cancel)
    {
        try
        {
            return await localTransaction(sent, cancel).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.LocalTransactionFailed(_logger, e, sent.MessageId);
            throw;
        }
    }

    // One attempt: a commit whose answer was lost must not be repeated, for RocketMQ's brokers would deliver the message twice.
    private async Task<bool> TryEndAsync(Message message, SendResult sent, string? address, TransactionOutcome outcome)
    {
        if (outcome == TransactionOutcome.Unknown)
        {
            return false;
        }

        try
        {
            if (address is null || !MessageId.TryParse(sent.OffsetMessageId, out _, out long physicalOffset))
            {
                throw new RouteNotFoundException($"no master of broker {sent.Queue.BrokerName} is there");
            }

            EndTransactionHeader end = TransactionEnd.Header(_groupUtf8, outcome, sent.MessageId) with
            {
                Topic = Encoding.UTF8.GetBytes(message.Topic),
                QueueOffset = sent.QueueOffset,
                PhysicalOffset = physicalOffset,
                TransactionId = Encoding.UTF8.GetBytes(sent.TransactionId ?? ""),
                BrokerName = Encoding.UTF8.GetBytes(sent.Queue.BrokerName),
            };
            await _producer.EndAsync(address, end, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is GrayMQException or IOException or TimeoutException)
        {
            Log.EndTransactionFailed(_logger, outcome, sent.MessageId, address ?? sent.Queue.BrokerName, e.Message);
            return false;
        }
    }

    private sealed class DelegateChecker : ITransactionChecker
    {
        private readonly Func<ReceivedMessage, CancellationToken, ValueTask<TransactionOutcome>> _check;

        public DelegateChecker(Func<ReceivedMessage, CancellationToken, ValueTask<TransactionOutcome>> check)
        {
            ArgumentNullException.ThrowIfNull(check);
            _check = check;
        }

        public ValueTask<TransactionOutcome> CheckAsync(ReceivedMessage message, CancellationToken cancel) =>
            _check(message, cancel);
    }
}
