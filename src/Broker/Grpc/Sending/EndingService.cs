using System.Text;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>What producers say of messages that they have sent: how a transaction ended, and that a delayed message is not to come.</summary>
internal sealed class EndingService(InnerRequests inner)
{
    public async ValueTask<V2.EndTransactionResponse> EndAsync(Caller caller, V2.EndTransactionRequest request)
    {
        byte[] topic = Encoding.UTF8.GetBytes(ResourceNames.TopicOf(request.Topic, caller));
        if (string.IsNullOrWhiteSpace(request.TransactionId))
        {
            throw new MessagingException(V2.Code.InvalidTransactionId, "transaction id cannot be empty");
        }

        if (!TransactionId.TryParse(request.TransactionId, out TransactionId id))
        {
            throw new MessagingException(V2.Code.InvalidTransactionId, "the transaction id is none that a broker told");
        }

        byte[] messageId = Encoding.UTF8.GetBytes(request.MessageId);
        var header = new EndTransactionHeader
        {
            Topic = topic,
            ProducerGroup = topic,
            QueueOffset = id.QueueOffset,
            PhysicalOffset = id.PhysicalOffset,
            Outcome = request.Resolution switch
            {
                V2.TransactionResolution.Commit => MessageSysFlag.TransactionCommit,
                V2.TransactionResolution.Rollback => MessageSysFlag.TransactionRollback,
                _ => MessageSysFlag.TransactionNone,
            },
            FromCheck = request.Source == V2.TransactionSource.SourceServerCheck,
            MessageId = messageId,
            TransactionId = messageId,
        };
        RemotingCommand answer = await inner.AskAsync(caller, RequestCode.EndTransaction, header).ConfigureAwait(false);
        return new V2.EndTransactionResponse { Status = Statuses.Of(answer) };
    }

    public async ValueTask<V2.RecallMessageResponse> RecallAsync(Caller caller, V2.RecallMessageRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        var header = new RecallMessageHeader { ProducerGroup = topic, Topic = topic, RecallHandle = request.RecallHandle };
        RemotingCommand answer = await inner.AskAsync(caller, RequestCode.RecallMessage, header).ConfigureAwait(false);
        return new V2.RecallMessageResponse
        {
            Status = Statuses.Of(answer),
            MessageId = answer.Fields.FindString("msgId"u8) ?? "",
        };
    }
}
