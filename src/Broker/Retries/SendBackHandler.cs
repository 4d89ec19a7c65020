using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Retries;

/// <summary>
/// CONSUMER_SEND_MSG_BACK (36): a consumer could not handle a message; it is delivered to the group again after a while, or, when it
/// was tried often enough, put among the group's dead letters. The answer comes when the message is on disk: the consumer commits the
/// original's offset then.
/// </summary>
internal sealed class SendBackHandler(
    SendOptions options,
    TopicTable topics,
    SubscriptionGroupTable groups,
    RetryTopics retryTopics,
    MessageStore store,
    MessageIntake intake,
    FailedMessages failed)
{
    // What a message without a delay of its own waits at its first retry: 10 seconds by default.
    private const int FirstDelayLevel = 3;

    public async ValueTask HandleAsync(RemotingRequest request, ConsumerSendMessageBackHeader header)
    {
        SubscriptionGroupConfig group = groups.Find(header.Group)
            ?? throw new RemotingException(
                ResponseCode.SubscriptionGroupNotExist, RetrySends.NoSuchGroup(header.Group));
        if (!TopicPermission.IsWritable(options.BrokerPermission.Value))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the broker[{options.StoreHost.Address}] sending message is forbidden");
        }

        // A group without retry queues does without retries: what it sends back is dropped.
        if (group.RetryQueueNums > 0)
        {
            FlushStatus flushed = await intake.WaitForFlushAsync(Store(group, header, request.Version, request.Connection).EndOffset).ConfigureAwait(false);
            if (flushed != FlushStatus.Flushed)
            {
                throw new RemotingException(ResponseCode.SystemError, $"the message is not known to be on disk: {flushed}");
            }
        }

        request.Reply(ResponseCode.Success);
    }

    private AppendResult Store(SubscriptionGroupConfig group, ConsumerSendMessageBackHeader header, short version, RemotingPeer client)
    {
        Topic retryTopic = retryTopics.Retry(group, header.UnitMode);
        if (!TopicPermission.IsWritable(retryTopic.Config.Perm))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the topic[{retryTopic.Name}] sending message is forbidden");
        }

        using var slices = new MessageSlices();
        if (!store.TryReadMessage(header.PhysicalOffset, slices)
            || !StoredMessage.TryRead(slices[0], out StoredMessage message, out _)
            || !WasConsumed(in message))
        {
            throw new RemotingException(ResponseCode.SystemError, $"look message by offset failed, {header.PhysicalOffset}");
        }

        int maxReconsumeTimes = RetrySends.MaxReconsumeTimes(group, header.MaxReconsumeTimes, version);
        AppendResult result = message.ReconsumeTimes >= maxReconsumeTimes || header.DelayLevel < 0
            ? failed.DeadLetter(in message, group.GroupName)
            : failed.Retry(
                in message,
                group,
                retryTopic,
                header.DelayLevel > 0 ? header.DelayLevel : FirstDelayLevel + message.ReconsumeTimes,
                client);
        return result.IsOk
            ? result
            : throw new RemotingException(ResponseCode.SystemError, MessageIntake.Refusal(result.Status, options.MaxMessageBytes).Message);
    }

    // Any offset can be asked for. What no consumer is given must not reach one in this way: halves of transactions, and
    // what waits in topics that are the broker's own.
    private bool WasConsumed(in StoredMessage message) =>
        MessageSysFlag.Transaction(message.SysFlag) is MessageSysFlag.TransactionNone or MessageSysFlag.TransactionCommit
        && topics.Find(message.Topic) is not { IsForbiddenToSend: true };
}
