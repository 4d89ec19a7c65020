using System.Collections.Concurrent;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Consumers.Pulling;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Prefetching;

/// <summary>The queues of a pull consumer, each with a loop that fetches ahead of the polls.</summary>
internal sealed class PrefetchAssignments(
    PullCaller caller,
    SubscriptionTable subscriptions,
    IOffsetStore offsets,
    StartOffset start,
    PullConsumerOptions options,
    TimeProvider time,
    ILogger logger) : IQueueOwner, IDisposable
{
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Backoff _errors = new(PullErrors.FirstDelay, options.PullErrorDelay);
    private readonly ConcurrentDictionary<MessageQueue, Fetching> _active = new();
    private readonly SemaphoreSlim _changing = new(1);
    private readonly Pulse _arrived = new(time);
    private int _nextQueue;

    public IReadOnlyCollection<MessageQueue> Queues => [.. _active.Keys];

    public PrefetchedQueue? Find(MessageQueue queue) => _active.TryGetValue(queue, out Fetching? it) ? it.Queue : null;

    public async Task<AssignmentOutcome> AssignAsync(
        string topic, IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            bool changed = false;
            bool complete = true;
            var wanted = new HashSet<MessageQueue>(queues);
            foreach (MessageQueue queue in Queues.Where(queue => queue.Topic == topic && !wanted.Contains(queue)))
            {
                await LetGoAsync(queue, cancel).ConfigureAwait(false);
                changed = true;
            }

            foreach (MessageQueue queue in wanted.Where(queue => !_active.ContainsKey(queue)))
            {
                bool taken = await TryTakeOverAsync(queue, cancel).ConfigureAwait(false);
                changed |= taken;
                complete &= taken;
            }

            return new AssignmentOutcome(changed, complete);
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task RetainTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            foreach (MessageQueue queue in Queues.Where(queue => !topics.Contains(queue.Topic)))
            {
                await LetGoAsync(queue, cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>What has been fetched, of one queue after the other; waits where there is nothing.</summary>
    public async Task<IReadOnlyList<ReceivedMessage>> TakeAsync(TimeSpan timeout, CancellationToken cancel)
    {
        var messages = new List<ReceivedMessage>();
        var deadline = new Deadline(time, timeout);
        while (true)
        {
            Fetching[] queues = [.. _active.Values];
            for (int i = 0; i < queues.Length && messages.Count < options.PollBatchSize; i++)
            {
                queues[(int)((uint)(_nextQueue + i) % (uint)queues.Length)].Queue
                    .Take(messages, options.PollBatchSize - messages.Count);
            }

            _nextQueue++;
            if (messages.Count > 0 || deadline.Left <= TimeSpan.Zero)
            {
                return messages;
            }

            await _arrived.WaitAsync(deadline.Limit(LongestWait), cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Counts everything that was polled as handled.</summary>
    public void MarkHandled()
    {
        foreach (Fetching fetching in _active.Values)
        {
            fetching.Queue.MarkHandled();
            offsets.Update(fetching.Queue.Queue, fetching.Queue.HandledTo);
        }
    }

    public void Seek(PrefetchedQueue queue, long offset)
    {
        queue.Seek(offset);
        offsets.Reset(queue.Queue, offset);
    }

    /// <summary>Something may be polled that could not be before.</summary>
    public void WakePolls() => _arrived.Wake();

    /// <summary>Commits what is handled; of several failures, one is thrown.</summary>
    public Task CommitAsync(CancellationToken cancel) => offsets.PersistAsync(Queues, cancel);

    /// <summary>Commits what can be committed.</summary>
    public Task CommitQuietlyAsync(CancellationToken cancel) => offsets.PersistQuietlyAsync(Queues, cancel);

    /// <summary>Fetches nothing any more.</summary>
    public Task StopAsync() => Task.WhenAll(_active.Values.Select(fetching => fetching.StopAsync()));

    public void Dispose()
    {
        _changing.Dispose();
        foreach (Fetching fetching in _active.Values)
        {
            fetching.Dispose();
        }
    }

    // Called with _changing held. What was polled and not handled yet goes to the next owner.
    private async Task LetGoAsync(MessageQueue queue, CancellationToken cancel)
    {
        if (_active.TryRemove(queue, out Fetching? fetching))
        {
            await fetching.StopAsync().ConfigureAwait(false);
            fetching.Dispose();
            if (options.AutoCommit)
            {
                await offsets.PersistQuietlyAsync([queue], cancel).ConfigureAwait(false);
            }

            offsets.Forget(queue);
            caller.Forget(queue);
        }
    }

    private async Task<bool> TryTakeOverAsync(MessageQueue queue, CancellationToken cancel)
    {
        try
        {
            offsets.Forget(queue);
            long offset = await start.FindAsync(queue, cancel).ConfigureAwait(false);
            var fetching = new Fetching(new PrefetchedQueue(queue, offset, time));
            _active[queue] = fetching;
            fetching.Loop = Task.Run(() => FetchAsync(fetching.Queue, fetching.Stopping), CancellationToken.None);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.TakeOverFailed(logger, queue, e.Message);
            return false;
        }
    }

    private async Task FetchAsync(PrefetchedQueue queue, CancellationToken stopping)
    {
        int failures = 0;
        long offset = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (subscriptions.Find(queue.Queue.Topic) is not { } subscription
                    || queue.NextPull(options.MaxCachedMessagesPerQueue, options.MaxCachedBytesPerQueue) is not { } ticket)
                {
                    await queue.WaitAsync(RoomWait, stopping).ConfigureAwait(false);
                    continue;
                }

                offset = ticket.Offset;
                using var cancel = CancellationTokenSource.CreateLinkedTokenSource(ticket.Sought, stopping);
                PullResult result = await caller
                    .PullAsync(queue.Queue, subscription, ticket.Offset, null, null, cancel.Token)
                    .ConfigureAwait(false);
                failures = 0;
                if (result.Status == PullStatus.OffsetMoved)
                {
                    Log.OffsetMoved(logger, queue.Queue, result.NextOffset);
                }

                if (queue.Accept(ticket, result))
                {
                    _arrived.Wake();
                }
            }
            catch (OperationCanceledException)
            {
                // Sought, or stopped.
            }
            catch (Exception e)
            {
                Log.PullFailed(logger, queue.Queue, offset, e.Message);
                await Task.Delay(_errors.After(++failures), time, stopping)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private sealed class Fetching(PrefetchedQueue queue) : IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public PrefetchedQueue Queue => queue;

        public CancellationToken Stopping => _stopping.Token;

        public Task Loop { get; set; } = Task.CompletedTask;

        public async Task StopAsync()
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
            await Loop.ConfigureAwait(false);
        }

        public void Dispose()
        {
            _stopping.Dispose();
            queue.Dispose();
        }
    }
}
