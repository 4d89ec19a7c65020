using System.Collections.Concurrent;
using System.Collections.Immutable;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Pops all targets, each by a loop of its own, as long as there is room for what comes. A loop that ends lets its last request end by
/// itself: what a broker has popped for it is nobody else's until its invisible time is over.
/// </summary>
internal sealed class PopLoops : IAsyncDisposable
{
    // RocketMQ: PULL_TIME_DELAY_MILLS_WHEN_BROKER_FLOW_CONTROL.
    private static readonly TimeSpan FlowControlPause = TimeSpan.FromMilliseconds(20);

    private readonly GroupMembership _membership;
    private readonly PopAssignments _assignments;
    private readonly PopCaller _caller;
    private readonly AckLanes _acks;
    private readonly PopDispatcher _dispatcher;
    private readonly PopBudget _budget;
    private readonly ConsumeStatistics _statistics;
    private readonly PopPushConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly Backoff _errors;
    private readonly Lock _changing = new();
    private readonly Dictionary<MessageQueue, Loop> _loops = [];
    private readonly ConcurrentDictionary<MessageQueue, long> _lastPopMs = new();
    private readonly List<Task> _ending = [];
    private readonly CancellationTokenSource _abandon = new();
    private bool _stopped;

    public PopLoops(
        GroupMembership membership,
        PopAssignments assignments,
        PopCaller caller,
        AckLanes acks,
        PopDispatcher dispatcher,
        PopBudget budget,
        ConsumeStatistics statistics,
        PopPushConsumerOptions options)
    {
        _membership = membership;
        _assignments = assignments;
        _caller = caller;
        _acks = acks;
        _dispatcher = dispatcher;
        _budget = budget;
        _statistics = statistics;
        _options = options;
        _time = membership.Session.Time;
        _errors = new Backoff(PopTimes.FirstErrorPause, options.PopErrorDelay);
    }

    public void Start()
    {
        _assignments.Changed += Adjust;
        Adjust();
    }

    /// <summary>What tools are told.</summary>
    public Dictionary<MessageQueue, PopProcessQueueInfo> Describe() => _assignments.Targets.ToDictionary(
        queue => queue,
        queue => new PopProcessQueueInfo { LastPopTimestamp = _lastPopMs.GetValueOrDefault(queue), WaitAckCount = _budget.Used });

    /// <summary>Begins no pop any more. What those that are under way bring goes to the dispatcher still.</summary>
    public void Stop()
    {
        _assignments.Changed -= Adjust;
        lock (_changing)
        {
            _stopped = true;
            EndOthers([]);
        }
    }

    /// <summary>Gives up the requests that are still parked.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        Task[] all;
        lock (_changing)
        {
            all = [.. _ending];
        }

        await _abandon.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(all).ConfigureAwait(false);
        _abandon.Dispose();
    }

    private void Adjust()
    {
        ImmutableArray<MessageQueue> targets = _assignments.Targets;
        lock (_changing)
        {
            if (_stopped)
            {
                return;
            }

            _ending.RemoveAll(loop => loop.IsCompleted);
            EndOthers(targets);
            foreach (MessageQueue target in targets)
            {
                if (!_loops.ContainsKey(target))
                {
                    var stop = new CancellationTokenSource();
                    _loops[target] = new Loop(stop, Task.Run(() => RunAsync(target, stop)));
                }
            }
        }
    }

    // Called with the lock held.
    private void EndOthers(ImmutableArray<MessageQueue> targets)
    {
        foreach ((MessageQueue target, Loop loop) in _loops.Where(loop => !targets.Contains(loop.Key)).ToArray())
        {
            _loops.Remove(target);
            _ending.Add(EndAsync(loop));
        }
    }

    private static async Task EndAsync(Loop loop)
    {
        await loop.Stop.CancelAsync().ConfigureAwait(false);
        await loop.Running.ConfigureAwait(false);
        loop.Stop.Dispose();
    }

    private async Task RunAsync(MessageQueue target, CancellationTokenSource stop)
    {
        CancellationToken cancel = stop.Token;
        string? attempt = null;
        int failures = 0;
        try
        {
            while (!cancel.IsCancellationRequested && _membership.Subscriptions.Find(target.Topic) is { } subscription)
            {
                int room = await _budget.WaitAsync(cancel).ConfigureAwait(false);
                long start = _time.GetTimestamp();
                _lastPopMs[target] = _time.GetUtcNow().ToUnixTimeMilliseconds();

                // The same attempt again after a failure: an orderly pop whose answer was lost is not held up by its own lock.
                attempt ??= _options.Orderly ? Guid.NewGuid().ToString() : null;
                PopResult result;
                try
                {
                    result = await _caller
                        .PopAsync(
                            target,
                            subscription,
                            Math.Min(room, _options.BatchSize),
                            _options.PollTime,
                            attempt,
                            _acks.AckQuietly,
                            _abandon.Token)
                        .ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException || !_abandon.IsCancellationRequested)
                {
                    failures++;
                    TimeSpan pause = e is BrokerException { Code: ResponseCode.FlowControl } ? FlowControlPause : _errors.After(failures);
                    Log.PopFailed(_membership.Logger, target, e.Message);
                    await Task.Delay(pause, _time, cancel).ConfigureAwait(false);
                    continue;
                }

                attempt = null;
                failures = 0;
                TimeSpan took = _time.GetElapsedTime(start);
                if (result.Messages.Count > 0)
                {
                    _statistics.Pulled(target.Topic, result.Messages.Count, took);
                    _dispatcher.Dispatch(result.Messages);
                }
                else if (result.Status == PopStatus.Full)
                {
                    await Task.Delay(PopTimes.FullPause, _time, cancel).ConfigureAwait(false);
                }
                else if (result.Status == PopStatus.Nothing && took < PopTimes.FirstErrorPause)
                {
                    // Some brokers answer at once when their clock is far from ours: they must not be asked without a pause.
                    await Task.Delay(PopTimes.FirstErrorPause, _time, cancel).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The target is another's now, or the consumer stops.
        }
        finally
        {
            _lastPopMs.TryRemove(target, out _);
        }
    }

    private sealed record Loop(CancellationTokenSource Stop, Task Running);
}
