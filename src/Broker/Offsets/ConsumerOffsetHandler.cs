using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Offsets;

/// <summary>What consumers ask and say about their offsets: requests 14 and 15, on the read loop (RocketMQ: ConsumerManageProcessor).</summary>
internal sealed class ConsumerOffsetHandler(
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerOffsetTable offsets,
    ClientCommits commits,
    MessageStore store,
    GrayTable gray,
    ILogger<ConsumerOffsetHandler> logger)
{
    private static readonly byte[] TransactionGroup = Encoding.UTF8.GetBytes(GroupNames.Transaction);

    /// <summary>
    /// QUERY_CONSUMER_OFFSET (14). A group that never was here begins at 0 where the queue's first message is still at hand; else
    /// the client decides (QUERY_NOT_FOUND).
    /// </summary>
    public ValueTask QueryAsync(RemotingRequest request, QueryConsumerOffsetHeader header)
    {
        ReadOnlySpan<byte> group = header.ConsumerGroup.Span;
        ReadOnlySpan<byte> topic = header.Topic.Span;
        long offset = offsets.Find(group, topic, header.QueueId);
        if (offset != ConsumerOffsetTable.None)
        {
            WriteBeforeTelling(group, topic);
            request.Reply(new OffsetResponseHeader(offset));
        }
        else if (header.SetZeroIfNotFound == false)
        {
            request.Reply(ResponseCode.QueryNotFound, "not found, and not to be set to zero: this group may be here for the first time");
        }
        else if (IsHeadAtHand(topic, header.QueueId))
        {
            request.Reply(new OffsetResponseHeader(0));
        }
        else
        {
            request.Reply(ResponseCode.QueryNotFound, "not found: this group may be here for the first time");
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// UPDATE_CONSUMER_OFFSET (15). Who waits for the answer gets it when the offset survives the end of the process.
    /// </summary>
    public ValueTask UpdateAsync(RemotingRequest request, UpdateConsumerOffsetHeader header)
    {
        ReadOnlySpan<byte> group = header.ConsumerGroup.Span;
        ReadOnlySpan<byte> topic = header.Topic.Span;
        if (groups.FindExisting(group) is null)
        {
            throw new RemotingException(ResponseCode.SubscriptionGroupNotExist, $"Group {Encoding.UTF8.GetString(group)} not exist!");
        }

        if (topics.Find(topic) is not { } found)
        {
            throw new RemotingException(ResponseCode.TopicNotExist, $"Topic {Encoding.UTF8.GetString(topic)} not exist!");
        }

        // What lies before these offsets is taken for ended at the next start.
        if (group.SequenceEqual(TransactionGroup))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the offsets of {GroupNames.Transaction} are the broker's own");
        }

        CommitOutcome outcome = commits.Commit(
            gray.FindGroup(group), group, found, header.QueueId, header.CommitOffset, request.Connection, request.Connection.RemoteEndPoint);
        if (outcome == CommitOutcome.ResetPending)
        {
            request.Reply(ResponseCode.Success, "Offset has been previously reset");
            return ValueTask.CompletedTask;
        }

        if (outcome == CommitOutcome.Committed && !request.IsOneWay)
        {
            try
            {
                offsets.Write(group, topic);
            }
            catch (KeyValueStoreException error)
            {
                throw new RemotingException(ResponseCode.SystemError, $"the offset is in memory only: {error.Message}");
            }
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    // An offset that someone was told must not be lower after a restart. One that cannot be written is told all the same:
    // consumers go on while the disk is full.
    private void WriteBeforeTelling(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
    {
        try
        {
            offsets.Write(group, topic);
        }
        catch (KeyValueStoreException error)
        {
            Log.OffsetToldUnwritten(logger, error);
        }
    }

    private bool IsHeadAtHand(ReadOnlySpan<byte> topic, int queueId) =>
        queueId >= 0 && store.FindQueue(topic, queueId) is { MinOffset: <= 0 } queue && store.IsInMemory(queue, 0);
}
