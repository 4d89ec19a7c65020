using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Indexes;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Dispatching;

/// <summary>
/// Puts one message of the log into its queue and into the index. Used by the dispatcher while running and by recovery;
/// whoever calls holds <see cref="Lock"/>, which guards all changes of queues and index.
/// </summary>
internal sealed class MessageDispatch(
    StoreOptions options, QueueTable queues, KeyIndex index, LogFollowers followers, ITagsCodeRule? tagsCodes, ILogger logger)
{
    private readonly List<LogicQueue> _dirtyQueues = [];

    public Lock Lock { get; } = new();

    public QueueTable Queues => queues;

    public KeyIndex Index => index;

    public LogFollowers Followers => followers;

    /// <summary>
    /// Dispatches one message. Returns the queue that has got a new entry, or null if none has: the message does not enter
    /// queues, or is there already, or names a queue that cannot be. Throws IOException.
    /// </summary>
    public LogicQueue? Dispatch(in StoredMessage message, out long tagsCode)
    {
        tagsCode = 0;
        LogicQueue? queue = queues.Find(message.Topic, message.QueueId);
        if (message.QueueOffset < 0 || (queue is null && !QueueTable.IsValid(message.Topic, message.QueueId)))
        {
            Log.MessageNotDispatchable(logger, message.PhysicalOffset, message.QueueId, message.QueueOffset);
            return null;
        }

        queue ??= queues.GetOrAdd(message.Topic, message.QueueId);

        var properties = IndexedProperties.Of(in message);

        // Before the queue: what fails here is tried again, and an entry in the queue would then count as dispatched.
        DispatchBesidesQueue(queue, in message, in properties);
        return Put(queue, in message, in properties, out tagsCode) ? queue : null;
    }

    /// <summary>Puts a message into its queue alone, for what followers and index have seen. Throws IOException.</summary>
    public void DispatchToQueue(LogicQueue queue, in StoredMessage message) =>
        Put(queue, in message, IndexedProperties.Of(in message), out _);

    /// <summary>Shows a message to followers and puts it into the index, but into no queue. Throws IOException.</summary>
    public void DispatchBesidesQueue(LogicQueue queue, in StoredMessage message) =>
        DispatchBesidesQueue(queue, in message, IndexedProperties.Of(in message));

    /// <summary>Hands over the queues that were written to since the last call; under the lock.</summary>
    public void TakeDirtyQueues(List<DirtyRange> ranges, List<LogicQueue> newFiles)
    {
        foreach (LogicQueue queue in _dirtyQueues)
        {
            queue.IsDirty = false;
            if (queue.HasNewFiles)
            {
                queue.HasNewFiles = false;
                newFiles.Add(queue);
            }

            foreach (ConsumeQueueFile file in queue.Files)
            {
                (int from, int to) = file.TakeDirty();
                if (from < to)
                {
                    ranges.Add(new DirtyRange(file, from, to));
                }
            }
        }

        _dirtyQueues.Clear();
    }

    /// <summary>Puts back what <see cref="TakeDirtyQueues"/> has handed over and could not be flushed; under the lock.</summary>
    public void PutBackDirtyQueues(List<DirtyRange> ranges, List<LogicQueue> newFiles)
    {
        foreach (DirtyRange range in ranges)
        {
            range.File.PutBackDirty(range.From, range.To);
            MarkDirty(range.File.Queue);
        }

        foreach (LogicQueue queue in newFiles)
        {
            queue.HasNewFiles = true;
            MarkDirty(queue);
        }
    }

    private void DispatchBesidesQueue(LogicQueue queue, in StoredMessage message, in IndexedProperties properties)
    {
        if (queue.TopicQueues.IsFollowed || message.PreparedTransactionOffset != 0)
        {
            followers.Show(message);
        }

        if (options.MessageIndexEnable
            && MessageSysFlag.Transaction(message.SysFlag) != MessageSysFlag.TransactionRollback)
        {
            index.Put(queue.TopicQueues, in message, in properties);
        }
    }

    private bool Put(LogicQueue queue, in StoredMessage message, in IndexedProperties properties, out long tagsCode)
    {
        tagsCode = 0;
        if (!LogicQueue.Takes(message.SysFlag))
        {
            return false;
        }

        tagsCode = TagsCodeOf(in message, properties.Tags);
        try
        {
            if (!queue.Put(message.QueueOffset, new ConsumeQueueEntry(message.PhysicalOffset, message.TotalSize, tagsCode)))
            {
                return false;
            }
        }
        catch (InvalidDataException e)
        {
            Log.QueueOffsetRefused(logger, e, message.PhysicalOffset);
            return false;
        }
        catch (IOException)
        {
            // What stands before its entry may be there.
            MarkDirty(queue);
            throw;
        }

        MarkDirty(queue);
        return true;
    }

    private void MarkDirty(LogicQueue queue)
    {
        if (!queue.IsDirty)
        {
            queue.IsDirty = true;
            _dirtyQueues.Add(queue);
        }
    }

    private long TagsCodeOf(in StoredMessage message, ReadOnlySpan<byte> tags)
    {
        long tagsCode = TagsCode.Of(tags);
        return tagsCodes is null ? tagsCode : tagsCodes.TagsCodeOf(message, tagsCode);
    }
}

/// <summary>Bytes of a consume-queue file that have to be flushed.</summary>
internal readonly record struct DirtyRange(ConsumeQueueFile File, int From, int To);
