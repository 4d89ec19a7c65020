using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Maintenance;

/// <summary>
/// Cleans up now what would be cleaned up sooner or later, or never: CLEAN_EXPIRED_CONSUMEQUEUE (306), CLEAN_UNUSED_TOPIC
/// (316), DELETE_EXPIRED_COMMITLOG (329). Works on files: belongs on the thread pool.
/// </summary>
internal sealed class CleanupHandler(TopicTable topics, MessageStore store, ILogger<CleanupHandler> logger)
{
    /// <summary>Removes what queues hold of messages that are gone from the log.</summary>
    public ValueTask ConsumeQueuesAsync(RemotingRequest request, NoHeader header)
    {
        store.RemoveExpiredQueueFiles();
        return Done(request);
    }

    /// <summary>Removes the queues of topics that do not exist any more.</summary>
    public ValueTask UnusedTopicsAsync(RemotingRequest request, NoHeader header)
    {
        string[] unused =
        [
            .. store.Queues.Select(queue => queue.Topic).Distinct(StringComparer.Ordinal).Where(topic => topics.Find(topic) is null),
        ];
        foreach (string topic in unused)
        {
            // Deleting the ones before took its time: somebody may have made it again.
            if (topics.Find(topic) is null)
            {
                store.DeleteTopic(topic);
            }
        }

        return Done(request);
    }

    /// <summary>Removes files of the log that are past their time, whatever the hour.</summary>
    public ValueTask CommitLogAsync(RemotingRequest request, NoHeader header)
    {
        store.RemoveExpiredFiles();
        return Done(request);
    }

    private ValueTask Done(RemotingRequest request)
    {
        Log.CleanedUp(logger, request.Code, request.Connection.RemoteEndPoint);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }
}
