using System.Text;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;

namespace GrayMQ.Broker.Delays;

/// <summary>Sends that say when they are to be delivered: stored where they wait, with a handle by which they can be recalled.</summary>
internal sealed class DelayedSends(string brokerName, DelayRouting routing, TimerRecall recall, MessageIntake intake)
{
    // Between topic and unique key of a message that is to be deleted (RocketMQ: TimerMessageStore.buildDeleteKey).
    private const byte DeleteKeySeparator = (byte)'+';

    /// <summary>Appends a message where its properties lead it; one that waits is said to be in the queue that was asked for.</summary>
    /// <param name="uniqueKey">Its UNIQ_KEY.</param>
    /// <param name="recallHandle">For the reply; null where the message cannot be recalled.</param>
    /// <exception cref="Remoting.Dispatch.RemotingException">It cannot be delayed as it asks to be.</exception>
    public AppendResult Append(
        Topic topic, int queueId, in MessageAppend message, ReadOnlySpan<byte> uniqueKey, out string? recallHandle)
    {
        recallHandle = null;
        var properties = new MessagePropertiesEditor(message.Properties);
        try
        {
            DelayRoute route = routing.Route(topic, queueId, ref properties);
            if (route.RecallMs > 0 && properties.TryFind(MessagePropertyUtf8.TimerDeleteUniqueKey, out ReadOnlySpan<byte> key))
            {
                Delete(key, route.RecallMs, message.BornHost);
            }
            else if (route.RecallMs > 0)
            {
                recallHandle = new RecallHandle(topic.Name, brokerName, route.RecallMs, Encoding.UTF8.GetString(uniqueKey)).ToString();
            }

            AppendResult result = intake.Append(route.Topic, route.QueueId, message with { Properties = properties.Bytes });
            return ReferenceEquals(route.Topic, topic) ? result : result with { QueueId = queueId };
        }
        finally
        {
            properties.Dispose();
        }
    }

    // How clients took messages back before there was a request for it: by a message that names the other. It is stored as it is with
    // RocketMQ, but what it asks for is done at once.
    private void Delete(ReadOnlySpan<byte> key, long timeMs, MessageHost bornHost)
    {
        int separator = key.LastIndexOf(DeleteKeySeparator);
        if (separator > 0)
        {
            // What was sent right before may be what it names, and stand in the log alone.
            intake.AnnounceAppended();
            var handle = new RecallHandle(
                Encoding.UTF8.GetString(key[..separator]), brokerName, timeMs, Encoding.UTF8.GetString(key[(separator + 1)..]));
            recall.Recall(handle, null, bornHost, mayWait: false, out _);
        }
    }
}
