using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Sending;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>Everything that serves transactions, put together once.</summary>
internal sealed class TransactionParts
{
    public TransactionParts(
        BrokerState state, MessageIntake intake, TransactionOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var log = new HalfMessageLog(state.Messages, state.Halves);
        var operations = new OperationWriter(state.Topics, intake, options, time);
        var statistics = new TransactionStatistics();
        state.Topics.Changed += change =>
        {
            foreach (string topic in change.Deleted)
            {
                statistics.Remove(topic);
            }
        };
        Sends = new HalfMessageIntake(state.Topics, intake, operations, state.Messages, options);
        Ends = new EndTransactionHandler(
            state.Halves,
            log,
            operations,
            intake,
            new DelayRouting(state.Pending.Options, state.Topics, time),
            state.Topics,
            statistics,
            options,
            time,
            loggers.CreateLogger<EndTransactionHandler>());
        Resumes = new ResumeCheckHandler(
            state.Halves, log, state.Messages, intake, state.Topics, options, loggers.CreateLogger<ResumeCheckHandler>());
        Lists = new TransactionListHandler(state.Halves, log);
        Metrics = new TransactionMetrics(state.Halves, statistics);
        Coordinator = new TransactionCoordinator(
            state.Halves,
            new TransactionChecker(
                state.Halves, log, intake, state.Topics, options, time, loggers.CreateLogger<TransactionChecker>()),
            new ProducerAsker(log, state.Clients.Producers, options, loggers.CreateLogger<ProducerAsker>()),
            operations,
            state.Messages,
            state.Offsets,
            options,
            time,
            loggers.CreateLogger<TransactionCoordinator>());
    }

    /// <summary>Takes half messages of producers.</summary>
    public HalfMessageIntake Sends { get; }

    public EndTransactionHandler Ends { get; }

    public ResumeCheckHandler Resumes { get; }

    public TransactionListHandler Lists { get; }

    public TransactionMetrics Metrics { get; }

    public TransactionCoordinator Coordinator { get; }
}
