using System.Text;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Delays;

/// <summary>RECALL_MESSAGE (370): a producer takes a delayed message back (RocketMQ: RecallMessageProcessor, whose remarks these are).</summary>
internal sealed class RecallHandler(
    string brokerName,
    string region,
    LiveSetting<int> brokerPermission,
    DelayOptions options,
    TopicTable topics,
    MessageIntake intake,
    TimerRecall recall,
    TimeProvider time)
{
    private readonly byte[] _region = Encoding.UTF8.GetBytes(region);

    public async ValueTask HandleAsync(RemotingRequest request, RecallMessageHeader header)
    {
        try
        {
            MessageHost bornHost = request.Connection.Host;
            RecallHandle handle = Check(header);
            RecallOutcome outcome = recall.Recall(handle, header.ProducerGroup, bornHost, mayWait: true, out AppendResult result);
            if (outcome == RecallOutcome.NotFound)
            {
                throw new RemotingException(ResponseCode.IllegalOperation, "recall failed, message not found");
            }

            if (outcome == RecallOutcome.TooLate)
            {
                // Its time has come since it was looked at.
                throw TimeIsUp();
            }

            FlushStatus flushed = outcome != RecallOutcome.Recalled ? FlushStatus.Failed
                : result.Bytes == 0 ? FlushStatus.Flushed
                : await intake.WaitForFlushAsync(result.EndOffset).ConfigureAwait(false);
            if (flushed == FlushStatus.Failed)
            {
                throw new RemotingException(ResponseCode.SystemError, "recall failed, execute error");
            }

            request.Responder.Reply(ResponseCode.Success, null, new Answer(_region, Encoding.UTF8.GetBytes(handle.UniqueKey)));
        }
        catch (RemotingException e)
        {
            request.Responder.Reply(e.Code, e.Message, new Answer(_region, null));
        }
    }

    private RecallHandle Check(RecallMessageHeader header)
    {
        if (!options.RecallEnabled)
        {
            throw new RemotingException(ResponseCode.NoPermission, "recall failed, operation is forbidden");
        }

        if (!TopicPermission.IsWritable(brokerPermission.Value) && !options.RecallWhenNotWritable)
        {
            throw new RemotingException(ResponseCode.ServiceNotAvailable, "recall failed, broker service not available");
        }

        if (topics.Find(header.Topic) is null)
        {
            throw new RemotingException(ResponseCode.TopicNotExist, $"recall failed, the topic[{header.Topic}] not exist");
        }

        if (!RecallHandle.TryParse(header.RecallHandle, out RecallHandle handle))
        {
            throw Illegal("recall handle is invalid");
        }

        if (handle.Topic != header.Topic)
        {
            throw Illegal("recall failed, topic not match");
        }

        if (handle.BrokerName != brokerName)
        {
            throw Illegal("recall failed, broker service not available");
        }

        long leftMs = handle.TimeMs - time.GetUtcNow().ToUnixTimeMilliseconds();
        return leftMs > 0 && leftMs < options.MaxDelaySeconds * 1000L ? handle : throw TimeIsUp();
    }

    private static RemotingException TimeIsUp() => Illegal("recall failed, timestamp invalid");

    private static RemotingException Illegal(string remark) => new(ResponseCode.IllegalOperation, remark);

    private readonly record struct Answer(byte[] Region, byte[]? UniqueKey) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            if (UniqueKey is not null)
            {
                writer.Write("msgId"u8, UniqueKey.AsSpan());
            }

            writer.Write("MSG_REGION"u8, Region.AsSpan());
        }
    }
}
