using System.Text;
using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Retention;

/// <summary>
/// Removes all queues of a topic, with senders and the dispatcher at work: first nothing is appended any more, then the last
/// messages reach their queues, then the queues go. What fails on the way can be tried again, and leaves the topic either
/// as it was or removed.
/// </summary>
internal sealed class TopicRemoval(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    CommitLog log,
    MessageDispatch dispatch,
    Dispatcher dispatcher,
    CheckPointer checkPointer,
    TimeProvider time,
    ILogger logger)
{
    // How long the topic's last messages may take to reach their queues.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();

    // Where a topic's files wait to be deleted: renaming takes them away all at once, deleting does not.
    private readonly string _awayPath = Path.Combine(options.RootDirectory, "graymq.deletedtopic");

    /// <summary>Deletes what an earlier removal left behind.</summary>
    public void Sweep()
    {
        try
        {
            fileSystem.DeleteDirectory(_awayPath);
        }
        catch (IOException e)
        {
            Log.RemovedTopicNotDeleted(logger, e, _awayPath);
        }
    }

    /// <summary>Returns false if there was nothing of the topic. Throws IOException.</summary>
    public bool Remove(string topic)
    {
        byte[] topicUtf8 = Encoding.UTF8.GetBytes(topic);
        if (!QueueTable.IsValid(topicUtf8, 0))
        {
            return false;
        }

        lock (_lock)
        {
            fileSystem.DeleteDirectory(_awayPath);
            TopicQueues? queues = dispatch.Queues.FindTopic(topicUtf8);
            if (queues is null)
            {
                // The log may hold messages of it that nobody has come to yet.
                WaitForDispatch(topic);
                queues = dispatch.Queues.FindTopic(topicUtf8);
            }

            bool removed = queues is null ? MoveFilesOfNoTopic(topic, topicUtf8) : RemoveQueues(queues);
            if (removed)
            {
                Log.TopicDeleted(logger, topic, queues?.Queues.Length ?? 0);

                // So that no recovery dispatches its last messages again.
                checkPointer.Take();
                fileSystem.DeleteDirectory(_awayPath);
            }

            return removed;
        }
    }

    private bool RemoveQueues(TopicQueues queues)
    {
        log.SetRetired(queues, true);
        bool removed = false;
        try
        {
            WaitForDispatch(queues.Topic);
            lock (dispatch.Lock)
            {
                MoveFiles(queues.DirectoryPath);
                dispatch.Queues.Remove(queues.TopicUtf8);
                removed = true;
                foreach (LogicQueue? queue in queues.Queues)
                {
                    queue?.Retire();
                }

                ForgetAnswers(queues.Topic);
            }

            return true;
        }
        finally
        {
            if (!removed)
            {
                log.SetRetired(queues, false);
            }
        }
    }

    // A queue that somebody makes meanwhile has no files before the dispatcher comes to it, which needs the lock.
    private bool MoveFilesOfNoTopic(string topic, byte[] topicUtf8)
    {
        lock (dispatch.Lock)
        {
            return dispatch.Queues.FindTopic(topicUtf8) is null && MoveFiles(Path.Combine(options.ConsumeQueuePath, topic));
        }
    }

    private bool MoveFiles(string directory)
    {
        if (!fileSystem.DirectoryExists(directory))
        {
            return false;
        }

        fileSystem.Move(directory, _awayPath);
        return true;
    }

    // What is left of them is of no use to a topic that is made anew, and goes at the next start.
    private void ForgetAnswers(string topic)
    {
        string path = Path.Combine(options.AnswersPath, topic);
        try
        {
            fileSystem.DeleteDirectory(path);
        }
        catch (IOException e)
        {
            Log.RemovedTopicNotDeleted(logger, e, path);
        }
    }

    private void WaitForDispatch(string topic)
    {
        // Who has appended may be waiting for this thread before it announces that, or be this thread.
        log.Writer.WriteAppended();
        dispatcher.Wake();
        long target = log.MaxOffset;
        long startedAt = time.GetTimestamp();
        var wait = default(SpinWait);
        while (dispatcher.Offset < target)
        {
            TimeSpan waited = time.GetElapsedTime(startedAt);
            if (waited > Patience)
            {
                throw new IOException(
                    $"Topic {topic} was not deleted: its last messages did not reach their queues within {Patience.TotalSeconds:0} s.");
            }

            wait.SpinOnce();
        }
    }
}
