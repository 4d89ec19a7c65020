using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Appending;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Stores the first half of a transaction where no consumer sees it, with what is needed to store it in its topic one day (RocketMQ:
/// TransactionalMessageBridge.parseHalfMessageInner).
/// </summary>
internal sealed class HalfMessageIntake(
    TopicTable topics, MessageIntake intake, OperationWriter operations, MessageStore store, TransactionOptions options)
{
    /// <summary>RocketMQ keeps all half messages in one queue.</summary>
    public const int QueueId = 0;

    /// <exception cref="RemotingException">This broker takes no half messages (rejectTransactionMessage).</exception>
    public void RefuseIfForbidden()
    {
        if (options.IsRefused.Value)
        {
            throw new RemotingException(
                ResponseCode.NoPermission, $"the broker[{options.BrokerAddress}] sending transaction message is forbidden");
        }
    }

    /// <summary>Stores a half message; whether it is on disk is for the intake to say.</summary>
    /// <param name="topic">What was sent to, as the queue.</param>
    /// <param name="message">As an ordinary one would be stored.</param>
    /// <param name="uniqueKey">The transaction's id.</param>
    public AppendResult Append(Topic topic, int queueId, in MessageAppend message, ReadOnlySpan<byte> uniqueKey)
    {
        if (store.MaxPhysicalOffset == 0 && operations.AppendNothing() is { IsOk: false } refused)
        {
            return refused;
        }

        using var properties = new MessagePropertiesEditor(message.Properties);
        properties.Remove(GrayAcceptance.PropertyName);
        properties.Set(MessagePropertyUtf8.TransactionId, uniqueKey);
        properties.Set(MessagePropertyUtf8.RealTopic, topic.NameUtf8.Span);
        properties.Set(MessagePropertyUtf8.RealQueueId, queueId);
        Topic halves = topics.CreateOnSendBack(TopicNames.TransactionHalf, queueNums: 1);
        AppendResult result = intake.Append(halves, QueueId, message with
        {
            Properties = properties.Bytes,
            SysFlag = MessageSysFlag.WithTransaction(message.SysFlag, MessageSysFlag.TransactionNone),
        });
        return result with { QueueId = queueId };
    }
}
