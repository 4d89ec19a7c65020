using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Transactions;

/// <summary>Lists the transactions that have not ended, the oldest first: LIST_TRANSACTIONS (30010). Reads the log: belongs on the pool.</summary>
internal sealed class TransactionListHandler(HalfMessageStore halves, HalfMessageLog log)
{
    private const int DefaultCount = 100;
    private const int MaxCount = 1000;
    private const int PageSize = 256;

    // However few match, the log is not read for ever.
    private const int MaxLookedAt = 100_000;

    public ValueTask HandleAsync(RemotingRequest request, ListTransactionsHeader header)
    {
        int count = header.MaxCount <= 0 ? DefaultCount : Math.Min(header.MaxCount, MaxCount);
        var list = new TransactionList { Total = halves.Count };
        using var slices = new MessageSlices();
        long from = long.MinValue;
        for (int lookedAt = 0; lookedAt < MaxLookedAt;)
        {
            List<HalfMessage> page = halves.List(from, PageSize);
            foreach (HalfMessage half in page)
            {
                if ((header.Topic is null || header.Topic == half.Topic.Name)
                    && Describe(in half, slices) is { } transaction
                    && (header.ProducerGroup is null || header.ProducerGroup == transaction.ProducerGroup))
                {
                    list.Transactions.Add(transaction);
                    if (list.Transactions.Count == count)
                    {
                        break;
                    }
                }
            }

            lookedAt += page.Count;
            if (page.Count < PageSize || list.Transactions.Count == count)
            {
                break;
            }

            from = page[^1].Root + 1;
        }

        request.Reply(BodyCodec.Encode(list));
        return ValueTask.CompletedTask;
    }

    private PendingTransaction? Describe(in HalfMessage half, MessageSlices slices)
    {
        try
        {
            return !log.TryRead(in half, slices, out StoredMessage message)
                ? null
                : new PendingTransaction
                {
                    Topic = half.Topic.Name,
                    QueueId = HalfMessageReader.QueueIdOf(in message),
                    ProducerGroup = Text(in message, MessagePropertyUtf8.ProducerGroup) ?? "",
                    TransactionId = Text(in message, MessagePropertyUtf8.UniqueKey),
                    Keys = Text(in message, MessagePropertyUtf8.Keys),
                    OffsetMessageId = MessageId.Format(message.StoreHost, message.PhysicalOffset),
                    BornTimestamp = message.BornTimestampMs,
                    StoreTimestamp = half.StoredMs,
                    CheckTimes = half.Checks,
                    NextCheckTimestamp = half.DueMs,
                };
        }
        finally
        {
            slices.Clear();
        }
    }

    private static string? Text(in StoredMessage message, ReadOnlySpan<byte> name) =>
        message.TryGetProperty(name, out ReadOnlySpan<byte> value) ? Encoding.UTF8.GetString(value) : null;
}
