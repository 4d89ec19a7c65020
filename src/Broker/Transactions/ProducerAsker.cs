using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Asks a producer of a transaction's group how it ended, one after the other in turn: CHECK_TRANSACTION_STATE (39; RocketMQ:
/// AbstractTransactionalMessageCheckListener). Nobody waits for the answer, which is an END_TRANSACTION, if it comes.
/// </summary>
internal sealed class ProducerAsker(HalfMessageLog log, ProducerTable producers, TransactionOptions options, ILogger<ProducerAsker> logger)
{
    private readonly ConcurrentQueue<HalfMessage> _questions = new();
    private readonly HashSet<string> _lonelyGroups = new(StringComparer.Ordinal);
    private int _asking;
    private uint _turn;

    /// <summary>Asks soon, on the thread pool.</summary>
    public void Ask(HalfMessage half)
    {
        _questions.Enqueue(half);
        if (Interlocked.Exchange(ref _asking, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static asker => asker.AskAll(), this, preferLocal: false);
        }
    }

    private void AskAll()
    {
        using var slices = new MessageSlices();
        do
        {
            while (_questions.TryDequeue(out HalfMessage half))
            {
                try
                {
                    AskOne(in half, slices);
                }
                catch (Exception e)
                {
                    Log.AskingFailed(logger, e, half.Root, half.Topic.Name);
                }
            }

            // A full fence: a question that was put before this is seen below.
            Interlocked.Exchange(ref _asking, 0);
        }
        while (!_questions.IsEmpty && Interlocked.Exchange(ref _asking, 1) == 0);
    }

    private void AskOne(in HalfMessage half, MessageSlices slices)
    {
        if (!log.TryRead(in half, slices, out StoredMessage message))
        {
            return;
        }

        string group = Text(in message, MessagePropertyUtf8.ProducerGroup);
        IReadOnlyList<ProducerClient> clients = producers.ClientsOf(group);
        if (clients.Count > 0)
        {
            string key = Text(in message, MessagePropertyUtf8.UniqueKey);
            var header = new CheckTransactionStateHeader
            {
                Topic = TopicNames.TransactionHalf,
                QueueOffset = message.QueueOffset,
                PhysicalOffset = message.PhysicalOffset,
                MessageId = key,
                TransactionId = key,
                OffsetMessageId = MessageId.Format(message.StoreHost, message.PhysicalOffset),
                BrokerName = options.BrokerName,
            };
            byte[] body = ArrayPool<byte>.Shared.Rent(message.TotalSize + MaxAddedBytes);
            try
            {
                ReadOnlySpan<byte> sent = WriteAsSent(body, in message);
                uint turn = _turn++;
                for (int i = 0; i < clients.Count; i++)
                {
                    ClientSession session = clients[(int)((turn + (uint)i) % (uint)clients.Count)].Session;
                    if (session.Connection.SendOneWay(RequestCode.CheckTransactionState, in header, sent))
                    {
                        _lonelyGroups.Remove(group);
                        Log.TransactionChecked(logger, key, half.Topic.Name, half.Checks, session);
                        return;
                    }
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(body);
            }
        }

        if (_lonelyGroups.Add(group))
        {
            Log.NoProducerToAsk(logger, group, half.Topic.Name);
        }
    }

    // Topic and queue are those that the producer sent to; everything else stands as it is stored, but for WAIT, as in RocketMQ.
    private static ReadOnlySpan<byte> WriteAsSent(Span<byte> destination, in StoredMessage message)
    {
        using var properties = new MessagePropertiesEditor(message.Properties);
        properties.Set(MessagePropertyUtf8.WaitStoreMessageOk, "false"u8);
        int length = StoredMessageWriter.Write(
            destination,
            new StoredMessageFields
            {
                Topic = HalfMessageReader.TopicOf(in message),
                Properties = properties.Bytes,
                QueueId = Math.Max(0, HalfMessageReader.QueueIdOf(in message)),
                Flag = message.Flag,
                QueueOffset = message.QueueOffset,
                PhysicalOffset = message.PhysicalOffset,
                SysFlag = message.SysFlag,
                BornTimestampMs = message.BornTimestampMs,
                BornHost = message.BornHost,
                StoreTimestampMs = message.StoreTimestampMs,
                StoreHost = message.StoreHost,
                ReconsumeTimes = message.ReconsumeTimes,
            },
            message.Body);
        return destination[..length];
    }

    // For a longer topic and WAIT=false.
    private const int MaxAddedBytes = 512;

    private static string Text(in StoredMessage message, ReadOnlySpan<byte> name) =>
        message.TryGetProperty(name, out ReadOnlySpan<byte> value) ? Encoding.UTF8.GetString(value) : "";
}
