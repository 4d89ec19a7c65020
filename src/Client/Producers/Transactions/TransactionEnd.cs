using System.Text;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers.Transactions;

/// <summary>What brokers are told of a transaction's end.</summary>
internal static class TransactionEnd
{
    public static EndTransactionHeader Header(byte[] groupUtf8, TransactionOutcome outcome, string messageId) => new()
    {
        ProducerGroup = groupUtf8,
        Outcome = outcome switch
        {
            TransactionOutcome.Commit => MessageSysFlag.TransactionCommit,
            TransactionOutcome.Rollback => MessageSysFlag.TransactionRollback,
            _ => MessageSysFlag.TransactionNone,
        },
        MessageId = Encoding.UTF8.GetBytes(messageId),
    };
}
