using System.Collections.Concurrent;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Locks;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Client.Consumers.Pulling;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>
/// The queues that a push consumer works on. A queue that comes is locked if order matters, its start offset found, and its pulls begun;
/// one that goes is committed and unlocked, and only then may come again.
/// </summary>
internal sealed class QueueAssignments : IQueueOwner, IDisposable
{
    private readonly PullLoop _pulls;
    private readonly IMessageDispatcher _dispatcher;
    private readonly IOffsetStore _offsets;
    private readonly StartOffset _start;
    private readonly QueueLocks? _locks;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<MessageQueue, Assignment> _active = new();
    private readonly ConcurrentDictionary<MessageQueue, Task> _leaving = new();
    private readonly SemaphoreSlim _changing = new(1);

    /// <param name="locks">Null where order does not matter.</param>
    public QueueAssignments(
        PullLoop pulls,
        IMessageDispatcher dispatcher,
        IOffsetStore offsets,
        StartOffset start,
        QueueLocks? locks,
        TimeProvider time,
        ILogger logger)
    {
        _pulls = pulls;
        _dispatcher = dispatcher;
        _offsets = offsets;
        _start = start;
        _locks = locks;
        _time = time;
        _logger = logger;
    }

    /// <summary>Raised when a queue has been let go and may be taken over again, by this consumer or another.</summary>
    public event Action? Released;

    /// <summary>The queues that are worked on.</summary>
    public IReadOnlyCollection<MessageQueue> Queues => [.. _active.Keys];

    public async Task<AssignmentOutcome> AssignAsync(
        string topic, IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            bool changed = false;
            var wanted = new HashSet<MessageQueue>(queues);
            foreach (MessageQueue queue in Queues)
            {
                if (queue.Topic == topic && !wanted.Contains(queue))
                {
                    LetGo(queue, resetTo: null, atOnce: false);
                    changed = true;
                }
            }

            bool complete = true;
            var fresh = new List<MessageQueue>();
            foreach (MessageQueue queue in wanted)
            {
                if (_leaving.ContainsKey(queue))
                {
                    complete = false;
                }
                else if (!_active.ContainsKey(queue))
                {
                    fresh.Add(queue);
                }
            }

            if (_locks is not null && fresh.Count > 0)
            {
                await _locks.LockAsync(fresh, cancel).ConfigureAwait(false);
            }

            foreach (MessageQueue queue in fresh)
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
                LetGo(queue, resetTo: null, atOnce: false);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Lets queues go on from other offsets: they are let go, and taken over again with these.</summary>
    public async Task ResetAsync(IReadOnlyDictionary<MessageQueue, long> offsets, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            foreach ((MessageQueue queue, long offset) in offsets)
            {
                if (_active.ContainsKey(queue))
                {
                    Log.OffsetReset(_logger, queue, offset);
                    LetGo(queue, offset, atOnce: true);
                }
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Renews the locks; a queue whose lock was lost is let go at once.</summary>
    public async Task RenewLocksAsync(CancellationToken cancel)
    {
        if (_locks is null)
        {
            return;
        }

        await _locks.LockAsync(Queues, cancel).ConfigureAwait(false);
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            foreach (MessageQueue queue in Queues.Where(queue => !_locks.Holds(queue)))
            {
                Log.LockLost(_logger, queue);
                LetGo(queue, resetTo: null, atOnce: true);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Commits what has been handled of the queues that are worked on.</summary>
    public Task CommitAsync(CancellationToken cancel) => _offsets.PersistQuietlyAsync(Queues, cancel);

    /// <summary>Pulls nothing any more.</summary>
    public async Task StopPullingAsync()
    {
        Assignment[] all = [.. _active.Values];
        await Task.WhenAll(all.Select(assignment => assignment.StopPullingAsync())).ConfigureAwait(false);
    }

    /// <summary>Commits and unlocks everything; called when no handler is at work any more.</summary>
    public async Task ReleaseAllAsync(TimeSpan patience, CancellationToken cancel)
    {
        IReadOnlyCollection<MessageQueue> queues = Queues;
        foreach (Assignment assignment in _active.Values)
        {
            assignment.Messages.Drop();
        }

        await _offsets.PersistQuietlyAsync(queues, cancel).ConfigureAwait(false);
        if (_locks is not null)
        {
            await _locks.UnlockAsync(queues, cancel).ConfigureAwait(false);
        }

        // What was being let go already is done with unless its handler does not end.
        await Task.WhenAll(_leaving.Values).WaitAsync(patience, _time, cancel)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>What tools are told of the queues.</summary>
    public Dictionary<MessageQueue, ProcessQueueInfo> Describe() => _active.Values.ToDictionary(
        assignment => assignment.Messages.Queue,
        assignment =>
        {
            MessageQueue queue = assignment.Messages.Queue;
            ProcessQueueInfo info = assignment.Messages.Describe(_offsets.Peek(queue) ?? -1, _pulls.LastPullMs(queue));
            return info with { Locked = _locks?.Holds(queue) ?? false };
        });

    public void Dispose() => _changing.Dispose();

    private async Task<bool> TryTakeOverAsync(MessageQueue queue, CancellationToken cancel)
    {
        if (_locks is not null && !_locks.Holds(queue))
        {
            return false;
        }

        try
        {
            _offsets.Forget(queue);
            long offset = await _start.FindAsync(queue, cancel).ConfigureAwait(false);
            var assignment = new Assignment(new ProcessQueue(queue, offset, _offsets.Update, _time));
            _active[queue] = assignment;
            _dispatcher.Begin(assignment.Messages);
            assignment.Pulling = PullAsync(assignment, offset);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.TakeOverFailed(_logger, queue, e.Message);
            return false;
        }
    }

    private async Task PullAsync(Assignment assignment, long offset)
    {
        long? moved = await Task.Run(() => _pulls.RunAsync(assignment.Messages, offset, assignment.StopPulling))
            .ConfigureAwait(false);
        if (moved is { } to)
        {
            _ = ResetAsync(new Dictionary<MessageQueue, long> { [assignment.Messages.Queue] = to }, CancellationToken.None);
        }
    }

    // Called with _changing held.
    private void LetGo(MessageQueue queue, long? resetTo, bool atOnce)
    {
        if (_active.TryRemove(queue, out Assignment? assignment))
        {
            var registered = new TaskCompletionSource();
            _leaving[queue] = FinishAsync(assignment, resetTo, atOnce || _locks is null, registered.Task);
            registered.SetResult();
        }
    }

    // Where order matters, what is being handled may end, and is committed, before the next owner begins.
    private async Task FinishAsync(Assignment assignment, long? resetTo, bool atOnce, Task registered)
    {
        MessageQueue queue = assignment.Messages.Queue;
        if (atOnce)
        {
            assignment.Messages.Drop();
        }
        else
        {
            assignment.Messages.Close();
        }

        await registered.ConfigureAwait(false);
        await assignment.StopPullingAsync().ConfigureAwait(false);
        await _dispatcher.EndAsync(assignment.Messages).ConfigureAwait(false);
        assignment.Messages.Drop();
        assignment.Dispose();
        if (resetTo is { } offset)
        {
            _offsets.Reset(queue, offset);
        }

        await _offsets.PersistQuietlyAsync([queue], CancellationToken.None).ConfigureAwait(false);
        _offsets.Forget(queue);
        if (_locks is not null)
        {
            await _locks.UnlockAsync([queue], CancellationToken.None).ConfigureAwait(false);
        }

        _leaving.TryRemove(queue, out _);
        Released?.Invoke();
    }

    private sealed class Assignment(ProcessQueue messages) : IDisposable
    {
        private readonly CancellationTokenSource _stopPulling = new();

        public ProcessQueue Messages => messages;

        public CancellationToken StopPulling => _stopPulling.Token;

        public Task Pulling { get; set; } = Task.CompletedTask;

        public async Task StopPullingAsync()
        {
            await _stopPulling.CancelAsync().ConfigureAwait(false);
            await Pulling.ConfigureAwait(false);
        }

        public void Dispose() => _stopPulling.Dispose();
    }
}
