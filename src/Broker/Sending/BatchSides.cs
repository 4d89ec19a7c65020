using System.Buffers;
using GrayMQ.Broker.Gray;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Sending;

/// <summary>The side of the messages of a batch.</summary>
internal static class BatchSides
{
    /// <param name="batchBody">See <see cref="BatchBodyReader"/>; what is no batch is for the store to refuse.</param>
    /// <param name="common">Properties of all of its messages.</param>
    /// <exception cref="RemotingException">
    /// There are some of both: the answer to a batch names one queue, and they belong into two (MESSAGE_ILLEGAL).
    /// </exception>
    public static Side Of(in ReadOnlySequence<byte> batchBody, ReadOnlySpan<byte> common)
    {
        if (GrayView.IsMarked(common))
        {
            return Side.Gray;
        }

        Side? side = null;
        var batch = new BatchBodyReader(batchBody);
        while (batch.MoveNext())
        {
            ReadOnlySequence<byte> properties = batch.Current.Properties;
            Side each = GrayView.IsMarked(properties.IsSingleSegment ? properties.FirstSpan : properties.ToArray())
                ? Side.Gray
                : Side.Normal;
            if (side is { } others && others != each)
            {
                throw new RemotingException(
                    ResponseCode.MessageIllegal,
                    "the batch has gray and normal messages, which belong into different queues of the topic: send them apart");
            }

            side = each;
        }

        return side ?? Side.Normal;
    }
}
