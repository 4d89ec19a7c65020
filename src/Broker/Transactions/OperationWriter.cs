using System.Globalization;
using System.Text;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Appending;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Writes records into the operation queue, each of which says which half messages have ended, by their queue offsets:
/// <c>12,15,</c> with the tag <c>d</c> (RocketMQ: TransactionalMessageServiceImpl.getOpMessage).
/// </summary>
internal sealed class OperationWriter(TopicTable topics, MessageIntake intake, TransactionOptions options, TimeProvider time)
{
    public const byte Separator = (byte)',';

    // RocketMQ keeps all half messages in one queue, and has an operation queue for each queue of them.
    private const int QueueId = 0;

    private static readonly byte[] Properties = MessagePropertiesCodec.ToBytes(
    [
        new(MessageProperty.WaitStoreMessageOk, "true"),
        new(MessageProperty.Tags, "d"),
    ]);

    /// <summary>The tag of a record that says what has ended; RocketMQ knows no other.</summary>
    public static ReadOnlySpan<byte> EndedTag => "d"u8;

    /// <summary>Ends one transaction: a rollback.</summary>
    /// <param name="root">See <see cref="HalfMessage.Root"/>.</param>
    public AppendResult AppendRollback(long root, long queueOffset) => Append(Text(queueOffset), root);

    /// <summary>Names what has ended already, in as many records as it takes. False if one could not be stored.</summary>
    public bool TryAppend(IReadOnlyCollection<long> queueOffsets)
    {
        var body = new StringBuilder();
        foreach (long queueOffset in queueOffsets)
        {
            body.Append(Text(queueOffset));
            if (body.Length >= options.MaxOperationBytes.Value)
            {
                if (!Append(body.ToString(), root: 0).IsOk)
                {
                    return false;
                }

                body.Clear();
            }
        }

        return body.Length == 0 || Append(body.ToString(), root: 0).IsOk;
    }

    /// <summary>
    /// Sees to it that no half message stands at the very beginning of the log: a PreparedTransactionOffset of 0 names none. The record is
    /// one without a body, which RocketMQ passes over.
    /// </summary>
    public AppendResult AppendNothing() => Append("", root: 0);

    private static string Text(long queueOffset) => string.Create(CultureInfo.InvariantCulture, $"{queueOffset},");

    private AppendResult Append(string body, long root)
    {
        Topic topic = topics.CreateOnSendBack(TopicNames.TransactionOperation, queueNums: 1);
        return intake.Append(topic, QueueId, new MessageAppend
        {
            Body = Encoding.ASCII.GetBytes(body).AsSpan(),
            Properties = Properties,
            BornTimestampMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            BornHost = intake.StoreHost,
            StoreHost = intake.StoreHost,
            PreparedTransactionOffset = root,
        });
    }
}
