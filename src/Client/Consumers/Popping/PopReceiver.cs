using System.Collections.Concurrent;
using System.Collections.Immutable;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Brings messages of whichever target has some to those who want to receive. Targets are asked in turn, without waiting; when none has
/// anything, requests are parked at all of them. What a parked request brings when nobody wants it any more, because another one was
/// faster or the caller gave up, is kept for the next to come.
/// </summary>
internal sealed class PopReceiver : IAsyncDisposable
{
    private readonly GroupMembership _membership;
    private readonly PopAssignments _assignments;
    private readonly PopCaller _caller;
    private readonly AckLanes _acks;
    private readonly PopOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<Batch> _ready = new();
    private readonly ConcurrentDictionary<MessageQueue, Target> _targets = new();
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _changed = NewSignal();
    private uint _turn;
    private volatile bool _stopped;

    public PopReceiver(
        GroupMembership membership, PopAssignments assignments, PopCaller caller, AckLanes acks, PopOptions options)
    {
        _membership = membership;
        _assignments = assignments;
        _caller = caller;
        _acks = acks;
        _options = options;
        _time = membership.Session.Time;
        _assignments.Changed += OnChanged;
    }

    /// <summary>Messages of one target; none when the time is over.</summary>
    /// <exception cref="BrokerException">All brokers refuse, for reasons that will not pass.</exception>
    public async Task<IReadOnlyList<PoppedMessage>> ReceiveAsync(TimeSpan wait, CancellationToken cancel)
    {
        var deadline = new Deadline(_time, wait);
        while (true)
        {
            Task changed = Volatile.Read(ref _changed).Task;
            if (TryTakeReady() is { } ready)
            {
                return ready;
            }

            ImmutableArray<MessageQueue> queues = _assignments.Targets;
            if (await TryEachAsync(queues, cancel).ConfigureAwait(false))
            {
                continue;
            }

            TimeSpan left = deadline.Left;
            if (left <= TimeSpan.Zero || _stopped)
            {
                return [];
            }

            foreach (MessageQueue queue in queues)
            {
                Park(queue, left);
            }

            await changed.WaitAsync(Min(left, UntilNextTry(queues)), _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Parks nothing any more. What parked requests bring is still taken in: what a broker has popped is nobody else's until its invisible
    /// time is over.
    /// </summary>
    public void Stop()
    {
        _stopped = true;
        _assignments.Changed -= OnChanged;
        OnChanged();
    }

    /// <summary>Gives up what is parked, and hands back what nobody has taken: others get it soon.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_targets.Values.Select(target => target.Parked)).ConfigureAwait(false);
        _stopping.Dispose();
        while (TryTakeReady() is { } messages)
        {
            foreach (PoppedMessage message in messages)
            {
                try
                {
                    await _caller
                        .ChangeInvisibleAsync(message.Handle, PopTimes.HandedBack, CancellationToken.None)
                        .ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    Log.HandBackFailed(_membership.Logger, message.Message.MessageId, e.Message);
                }
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    // Refusals that say something about the moment only.
    private static bool MayPass(BrokerException e) => e.Code
        is ResponseCode.SystemBusy
        or ResponseCode.SystemError
        or ResponseCode.FlowControl
        or ResponseCode.ServiceNotAvailable
        or ResponseCode.GoAway;

    private void OnChanged() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    // What has waited for too long would come again before it could be handled.
    private IReadOnlyList<PoppedMessage>? TryTakeReady()
    {
        while (_ready.TryDequeue(out Batch batch))
        {
            if (_time.GetElapsedTime(batch.Arrived) < _options.InvisibleTime / 2)
            {
                return batch.Messages;
            }
        }

        return null;
    }

    // When a target can be asked again that is left alone now, or else when what is parked ends.
    private TimeSpan UntilNextTry(ImmutableArray<MessageQueue> queues)
    {
        TimeSpan least = _options.PollTime;
        foreach (MessageQueue queue in queues)
        {
            if (_targets.TryGetValue(queue, out Target? target) && target.PauseLeft(_time) is var left && left > TimeSpan.Zero)
            {
                least = Min(least, left);
            }
        }

        return least;
    }

    // Whether one of them had messages, which are ready now.
    private async Task<bool> TryEachAsync(ImmutableArray<MessageQueue> queues, CancellationToken cancel)
    {
        uint first = Interlocked.Increment(ref _turn);
        BrokerException? refused = null;
        int refusals = 0;
        for (uint i = 0; i < (uint)queues.Length; i++)
        {
            MessageQueue queue = queues[(int)((first + i) % (uint)queues.Length)];
            Target target = _targets.GetOrAdd(queue, static _ => new Target());
            if (target.PauseLeft(_time) > TimeSpan.Zero)
            {
                continue;
            }

            try
            {
                // The caller's token ends the wait, not the request: what it brings is kept.
                Task<PopResult> popping = PopAsync(target, queue, TimeSpan.Zero);
                PopResult result = await KeepAsync(popping).WaitAsync(cancel).ConfigureAwait(false);
                if (result.Messages.Count > 0)
                {
                    return true;
                }
            }
            catch (BrokerException e) when (!MayPass(e))
            {
                refused = e;
                refusals++;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Logged, and tried again after a pause.
            }
        }

        return refused is null || refusals < queues.Length ? false : throw refused;
    }

    private async Task<PopResult> KeepAsync(Task<PopResult> popping)
    {
        PopResult result = await popping.ConfigureAwait(false);
        if (result.Messages.Count > 0)
        {
            _ready.Enqueue(new Batch(result.Messages, _time.GetTimestamp()));
            OnChanged();
        }

        return result;
    }

    private void Park(MessageQueue queue, TimeSpan left)
    {
        Target target = _targets.GetOrAdd(queue, static _ => new Target());
        lock (target)
        {
            if (target.Parked.IsCompleted && target.PauseLeft(_time) <= TimeSpan.Zero && !_stopped)
            {
                target.Parked = ParkAsync(target, queue, Min(left, _options.PollTime));
            }
        }
    }

    private async Task ParkAsync(Target target, MessageQueue queue, TimeSpan poll)
    {
        try
        {
            await KeepAsync(PopAsync(target, queue, poll)).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Logged; or the consumer stops. Those who wait look again when the target can be asked again.
            OnChanged();
        }
    }

    private async Task<PopResult> PopAsync(Target target, MessageQueue queue, TimeSpan poll)
    {
        if (_membership.Subscriptions.Find(queue.Topic) is not { } subscription)
        {
            return new PopResult(PopStatus.Nothing, []);
        }

        // The same attempt again after a failure: an orderly pop whose answer was lost is not held up by its own lock.
        string? attempt = _options.Orderly ? target.TakeFailedAttempt() ?? Guid.NewGuid().ToString() : null;
        try
        {
            PopResult result = await _caller
                .PopAsync(queue, subscription, _options.BatchSize, poll, attempt, _acks.AckQuietly, _stopping.Token)
                .ConfigureAwait(false);
            target.Succeeded();
            if (result.Status == PopStatus.Full)
            {
                target.PauseUntil(_time, PopTimes.FullPause);
            }

            return result;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            TimeSpan pause = new Backoff(PopTimes.FirstErrorPause, _options.PopErrorDelay).After(target.Failed(attempt));
            target.PauseUntil(_time, pause);
            Log.PopFailed(_membership.Logger, queue, e.Message);
            throw;
        }
    }

    private readonly record struct Batch(IReadOnlyList<PoppedMessage> Messages, long Arrived);

    private sealed class Target
    {
        private int _failures;
        private long _notBefore;
        private string? _failedAttempt;

        public Task Parked { get; set; } = Task.CompletedTask;

        public string? TakeFailedAttempt() => Interlocked.Exchange(ref _failedAttempt, null);

        public void Succeeded() => Volatile.Write(ref _failures, 0);

        public int Failed(string? attempt)
        {
            Volatile.Write(ref _failedAttempt, attempt);
            return Interlocked.Increment(ref _failures);
        }

        public void PauseUntil(TimeProvider time, TimeSpan pause) =>
            Volatile.Write(ref _notBefore, time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency));

        /// <summary>For how long it is left alone still; zero and less when it is not.</summary>
        public TimeSpan PauseLeft(TimeProvider time) => time.GetElapsedTime(time.GetTimestamp(), Volatile.Read(ref _notBefore));
    }
}
