using System.Text;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Lets a transaction be checked from the beginning: RESUME_CHECK_HALF_MESSAGE (323). Of one that was given up it makes a new one;
/// one that has ended otherwise stays ended.
/// </summary>
internal sealed class ResumeCheckHandler(
    HalfMessageStore halves,
    HalfMessageLog log,
    MessageStore store,
    MessageIntake intake,
    TopicTable topics,
    TransactionOptions options,
    ILogger<ResumeCheckHandler> logger)
{
    private static readonly byte[] GivenUpTopic = Encoding.UTF8.GetBytes(TopicNames.TransactionChecksExceeded);

    public async ValueTask HandleAsync(RemotingRequest request, ResumeCheckHalfMessageHeader header)
    {
        if (!halves.IsCaughtUp)
        {
            throw new RemotingException(
                ResponseCode.ServiceNotAvailable, "service not available now: the broker has not come through its log yet");
        }

        AppendResult result = Resume(header.MessageId);
        if (!result.IsOk)
        {
            throw MessageIntake.Refusal(result.Status, options.MaxMessageBytes);
        }

        Log.CheckingResumed(logger, header.MessageId!, request.Connection.RemoteEndPoint);
        request.Reply(MessageIntake.ToCode(await intake.WaitForFlushAsync(result.EndOffset).ConfigureAwait(false)));
    }

    private AppendResult Resume(string? messageId)
    {
        if (messageId is null || !MessageId.TryParse(messageId, out _, out long physicalOffset))
        {
            throw new RemotingException(ResponseCode.SystemError, $"{messageId} is not an offset message id");
        }

        using var slices = new MessageSlices();
        if (log.TryRead(physicalOffset, slices, out StoredMessage half))
        {
            long root = HalfMessageReader.RootOf(in half);
            if (!halves.TryBeginChecking(root))
            {
                throw new RemotingException(
                    ResponseCode.SystemError, $"the transaction of {messageId} has ended, or is being checked just now");
            }

            AppendResult result = Store(in half, root);
            if (!result.IsOk)
            {
                halves.CancelChecking(root);
            }

            return result;
        }

        if (physicalOffset < 0
            || !store.TryReadMessage(physicalOffset, slices)
            || !StoredMessage.TryRead(slices[0], out StoredMessage givenUp, out _)
            || !givenUp.Topic.SequenceEqual(GivenUpTopic)
            || HalfMessageReader.TopicOf(in givenUp).IsEmpty)
        {
            throw new RemotingException(ResponseCode.SystemError, $"{messageId} is not a half message, nor one that was given up");
        }

        return Store(in givenUp, root: 0);
    }

    private AppendResult Store(in StoredMessage message, long root)
    {
        using var properties = new MessagePropertiesEditor(message.Properties);
        properties.Set(MessagePropertyUtf8.TransactionCheckTimes, 0);
        Topic topic = topics.CreateOnSendBack(TopicNames.TransactionHalf, queueNums: 1);
        return intake.Append(topic, HalfMessageIntake.QueueId, intake.Copy(in message, properties.Bytes) with
        {
            PreparedTransactionOffset = root,
        });
    }
}
