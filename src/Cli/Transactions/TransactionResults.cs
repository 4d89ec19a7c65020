using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Transactions;

/// <summary>The result of <c>transaction list</c>.</summary>
/// <param name="Total">Transactions that have not ended, of all topics and groups, listed or not.</param>
internal sealed record TransactionListing(long Total, IReadOnlyList<PendingTransactionView> Transactions);

/// <param name="Topic">What the message was sent to.</param>
/// <param name="ProducerGroup">Whose producers are asked.</param>
/// <param name="Checks">How often they have been asked.</param>
/// <param name="NextCheckTimestampMs">When they are asked next, or the message is given up.</param>
internal sealed record PendingTransactionView(
    string Topic,
    int Queue,
    string ProducerGroup,
    string Broker,
    string? TransactionId,
    string? Keys,
    string OffsetMessageId,
    long BornTimestampMs,
    long StoreTimestampMs,
    int Checks,
    long NextCheckTimestampMs)
{
    public static PendingTransactionView Of(PendingTransaction transaction, string broker) => new(
        transaction.Topic,
        transaction.QueueId,
        transaction.ProducerGroup,
        broker,
        transaction.TransactionId,
        transaction.Keys,
        transaction.OffsetMessageId,
        transaction.BornTimestamp,
        transaction.StoreTimestamp,
        transaction.CheckTimes,
        transaction.NextCheckTimestamp);
}
