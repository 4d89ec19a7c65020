using System.Collections.Concurrent;
using System.Threading.Channels;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Brings popped messages to the handler, and what became of them to their brokers: acknowledged when they were handled, invisible for as
/// long as the retry policy says when not, in the dead letters when that happened too often. Orderly, the messages of a queue go one
/// behind the other, and what stands behind one that failed comes again with it.
/// </summary>
internal sealed class PopDispatcher : IDisposable
{
    private static readonly TimeSpan LeastRenewalCheck = TimeSpan.FromMilliseconds(10);

    private readonly HandlerInvoker _invoker;
    private readonly PopCaller _caller;
    private readonly AckLanes _acks;
    private readonly SendBack _sendBack;
    private readonly PopBudget _budget;
    private readonly PopPushConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<IReadOnlyList<PopInFlight>> _batches = Channel.CreateUnbounded<IReadOnlyList<PopInFlight>>();
    private readonly ConcurrentDictionary<PopInFlight, bool> _handling = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cancelHandlers = new();
    private readonly List<Task> _late = [];
    private readonly Task[] _workers;
    private readonly PeriodicWork? _renewals;

    public PopDispatcher(
        HandlerInvoker invoker,
        PopCaller caller,
        AckLanes acks,
        SendBack sendBack,
        PopBudget budget,
        PopPushConsumerOptions options,
        TimeProvider time,
        ILogger logger)
    {
        _invoker = invoker;
        _caller = caller;
        _acks = acks;
        _sendBack = sendBack;
        _budget = budget;
        _options = options;
        _time = time;
        _logger = logger;
        if (options.RenewInvisibleTime)
        {
            TimeSpan often = options.InvisibleTime / 8;
            _renewals = new PeriodicWork(often > LeastRenewalCheck ? often : LeastRenewalCheck, time, RenewAsync);
            _renewals.Start();
        }

        _workers = [.. Enumerable.Range(0, options.MaxConcurrency).Select(_ => Task.Run(WorkAsync))];
    }

    /// <summary>Takes in what one pop brought.</summary>
    public void Dispatch(IReadOnlyList<PoppedMessage> messages)
    {
        long now = _time.GetTimestamp();
        _budget.Take(messages.Count);
        IEnumerable<IReadOnlyList<PopInFlight>> batches = _options.Orderly
            ? messages
                .GroupBy(message => (message.Handle.Kind, message.Handle.QueueId))
                .Select(queue => queue.Select(message => new PopInFlight(message, now)).ToArray())
            : messages
                .Chunk(_options.ConsumeBatchSize)
                .Select(chunk => Array.ConvertAll(chunk, message => new PopInFlight(message, now)));
        foreach (IReadOnlyList<PopInFlight> batch in batches)
        {
            if (!_batches.Writer.TryWrite(batch))
            {
                // Too late: the consumer stops.
                _budget.Release(batch.Count);
                lock (_late)
                {
                    _late.Add(ComeAgainAsync(batch, PopTimes.HandedBack));
                }
            }
        }
    }

    /// <summary>
    /// Begins no handling any more and waits for that which is under way; when <paramref name="patience"/> is over, has it cancelled, and
    /// waits for as long as a request takes, so that what was cancelled can be handed back as what was not begun is.
    /// </summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _batches.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task all = Task.WhenAll(_workers);
        await all.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!all.IsCompleted)
        {
            Log.HandlersLeft(_logger, _workers.Count(worker => !worker.IsCompleted), patience.TotalSeconds);
        }

        await _cancelHandlers.CancelAsync().ConfigureAwait(false);
        await all.WaitAsync(_options.RequestTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_renewals is not null)
        {
            await _renewals.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Completes when what came too late has been handed back as well.</summary>
    public Task DrainAsync()
    {
        lock (_late)
        {
            return Task.WhenAll(_late);
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _cancelHandlers.Dispose();
    }

    private async Task WorkAsync()
    {
        CancellationToken stopping = _stopping.Token;
        CancellationToken cancel = _cancelHandlers.Token;
        await foreach (IReadOnlyList<PopInFlight> batch in _batches.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                if (stopping.IsCancellationRequested)
                {
                    await ComeAgainAsync(batch, PopTimes.HandedBack).ConfigureAwait(false);
                }
                else if (_options.Orderly)
                {
                    await HandleInOrderAsync(batch, stopping, cancel).ConfigureAwait(false);
                }
                else
                {
                    await HandleAsync(batch, cancel).ConfigureAwait(false);
                }
            }
            finally
            {
                _budget.Release(batch.Count);
            }
        }
    }

    private async Task HandleAsync(IReadOnlyList<PopInFlight> batch, CancellationToken cancel)
    {
        if (IsOver(batch))
        {
            return;
        }

        ConsumeResult result = await InvokeAsync(batch, cancel).ConfigureAwait(false);
        foreach (PopInFlight message in batch)
        {
            await FinishAsync(message, result).ConfigureAwait(false);
        }
    }

    private async Task HandleInOrderAsync(
        IReadOnlyList<PopInFlight> queue, CancellationToken stopping, CancellationToken cancel)
    {
        for (int at = 0; at < queue.Count; at += _options.ConsumeBatchSize)
        {
            PopInFlight[] batch = [.. queue.Skip(at).Take(_options.ConsumeBatchSize)];
            if (IsOver(batch))
            {
                return;
            }

            if (stopping.IsCancellationRequested)
            {
                await ComeAgainAsync(queue.Skip(at), PopTimes.HandedBack).ConfigureAwait(false);
                return;
            }

            // What waits behind the batch must not come to others before its turn.
            foreach (PopInFlight waiting in queue.Skip(at))
            {
                Watch(waiting);
            }

            ConsumeResult result = await InvokeAsync(batch, cancel).ConfigureAwait(false);
            TimeSpan? again = null;
            foreach (PopInFlight message in batch)
            {
                again = await FinishAsync(message, result).ConfigureAwait(false) ?? again;
            }

            if (again is { } delay)
            {
                await ComeAgainAsync(queue.Skip(at + batch.Length), delay).ConfigureAwait(false);
                return;
            }
        }
    }

    private async ValueTask<ConsumeResult> InvokeAsync(IReadOnlyList<PopInFlight> batch, CancellationToken cancel)
    {
        foreach (PopInFlight message in batch)
        {
            Watch(message);
        }

        var queue = new MessageQueue(
            batch[0].Message.Topic, batch[0].Message.BrokerName ?? "", batch[0].Message.QueueId);
        ConsumeResult result = await _invoker
            .InvokeAsync(queue, [.. batch.Select(message => message.Message)], cancel)
            .ConfigureAwait(false);
        foreach (PopInFlight message in batch)
        {
            await UnwatchAsync(message).ConfigureAwait(false);
        }

        return result;
    }

    // When the message comes again; null when it is done with.
    private async Task<TimeSpan?> FinishAsync(PopInFlight message, ConsumeResult result)
    {
        if (!result.IsSuccess)
        {
            bool isDead = result.IsDeadLetter || message.Message.ReconsumeTimes >= _options.EffectiveMaxReconsumeTimes;
            if (!isDead
                || !await _sendBack.TrySendAsync(message.Message, DelayLevels.DeadLetter, CancellationToken.None).ConfigureAwait(false))
            {
                TimeSpan delay = result.Delay ?? _options.RetryPolicy.DelayAfter(message.Message.ReconsumeTimes + 1);
                await ComeAgainAsync([message], delay).ConfigureAwait(false);
                return delay;
            }
        }

        _acks.AckQuietly(message.Handle);
        return null;
    }

    private async Task ComeAgainAsync(IEnumerable<PopInFlight> messages, TimeSpan delay)
    {
        foreach (PopInFlight message in messages)
        {
            await UnwatchAsync(message).ConfigureAwait(false);
            await TryChangeAsync(message, message.Handle, delay).ConfigureAwait(false);
        }
    }

    private bool IsOver(IReadOnlyList<PopInFlight> batch)
    {
        if (!batch.Any(message => _time.GetElapsedTime(message.VisibleSince) >= _options.InvisibleTime))
        {
            return false;
        }

        Log.PoppedExpired(_logger, batch.Count, batch[0].Message.Topic);
        return true;
    }

    private void Watch(PopInFlight message)
    {
        if (_renewals is not null && _handling.TryAdd(message, true))
        {
            message.HandlingSince = _time.GetTimestamp();
        }
    }

    private Task UnwatchAsync(PopInFlight message)
    {
        _handling.TryRemove(message, out _);
        return message.EndAsync();
    }

    private Task RenewAsync(CancellationToken cancel)
    {
        long now = _time.GetTimestamp();
        foreach (PopInFlight message in _handling.Keys)
        {
            if (_time.GetElapsedTime(message.HandlingSince, now) >= _options.ConsumeTimeout)
            {
                if (_handling.TryRemove(message, out _))
                {
                    Log.RenewalEnded(_logger, message.Message.MessageId, _options.ConsumeTimeout);
                }
            }
            else if (_time.GetElapsedTime(message.VisibleSince, now) >= _options.InvisibleTime / 2)
            {
                message.Renew(handle => TryChangeAsync(message, handle, _options.InvisibleTime), now);
            }
        }

        return Task.CompletedTask;
    }

    private async Task<ReceiptHandle?> TryChangeAsync(PopInFlight message, ReceiptHandle handle, TimeSpan invisible)
    {
        try
        {
            return await _caller.ChangeInvisibleAsync(handle, invisible, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.ChangeInvisibleFailed(_logger, message.Message.MessageId, invisible, e.Message);
            return null;
        }
    }
}
