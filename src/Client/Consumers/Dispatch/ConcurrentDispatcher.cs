using System.Collections.Concurrent;
using System.Threading.Channels;
using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>
/// Handles messages side by side, in any order. What fails is given back to the broker; where that fails too, it is tried again here
/// after a while, and holds its queue's offset back until then. What is not handled within the consume timeout is given back as
/// well, so that a handler that hangs does not hold the offset back for ever.
/// </summary>
internal sealed class ConcurrentDispatcher : IMessageDispatcher, IDisposable
{
    private static readonly TimeSpan LongestExpiryInterval = TimeSpan.FromMinutes(1);

    private readonly HandlerInvoker _invoker;
    private readonly SendBack? _sendBack;
    private readonly PushConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Batch> _batches = Channel.CreateUnbounded<Batch>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cancelHandlers = new();
    private readonly ConcurrentDictionary<Batch, long> _running = new();
    private readonly Task[] _workers;
    private readonly PeriodicWork _expiry;

    /// <param name="sendBack">Null for broadcasting consumers, whose failed messages are not tried again.</param>
    public ConcurrentDispatcher(
        HandlerInvoker invoker, SendBack? sendBack, PushConsumerOptions options, TimeProvider time, ILogger logger)
    {
        _invoker = invoker;
        _sendBack = sendBack;
        _options = options;
        _time = time;
        _logger = logger;
        _expiry = new PeriodicWork(Min(options.ConsumeTimeout, LongestExpiryInterval), time, ExpireAsync);
        _expiry.Start();
        _workers = [.. Enumerable.Range(0, options.MaxConcurrency).Select(_ => Task.Run(WorkAsync))];
    }

    public void Begin(ProcessQueue queue)
    {
        // Nothing to do until messages come.
    }

    public void Dispatch(ProcessQueue queue, IReadOnlyList<ReceivedMessage> messages)
    {
        if (messages.Count <= _options.ConsumeBatchSize)
        {
            _batches.Writer.TryWrite(new Batch(queue, messages));
            return;
        }

        for (int i = 0; i < messages.Count; i += _options.ConsumeBatchSize)
        {
            int end = Math.Min(messages.Count, i + _options.ConsumeBatchSize);
            var part = new ReceivedMessage[end - i];
            for (int j = i; j < end; j++)
            {
                part[j - i] = messages[j];
            }

            _batches.Writer.TryWrite(new Batch(queue, part));
        }
    }

    // The next owner of the queue starts without waiting: what is still being handled here may be handled twice.
    public Task EndAsync(ProcessQueue queue) => Task.CompletedTask;

    public async Task StopAsync(TimeSpan patience)
    {
        await _expiry.DisposeAsync().ConfigureAwait(false);
        _batches.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task all = Task.WhenAll(_workers);
        await all.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!all.IsCompleted)
        {
            Log.HandlersLeft(_logger, _workers.Count(worker => !worker.IsCompleted), patience.TotalSeconds);
        }

        await _cancelHandlers.CancelAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _cancelHandlers.Dispose();
    }

    private async Task WorkAsync()
    {
        CancellationToken cancel = _cancelHandlers.Token;
        CancellationToken stopping = _stopping.Token;
        await foreach (Batch batch in _batches.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            if (!stopping.IsCancellationRequested && !batch.Queue.IsClosed)
            {
                await HandleAsync(batch, stopping, cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task HandleAsync(Batch batch, CancellationToken stopping, CancellationToken cancel)
    {
        _running[batch] = _time.GetTimestamp();
        ConsumeResult result = await _invoker.InvokeAsync(batch.Queue.Queue, batch.Messages, cancel).ConfigureAwait(false);
        if (!_running.TryRemove(batch, out _))
        {
            // It took too long, and was given back meanwhile.
            return;
        }

        if (result.IsSuccess || batch.Queue.IsDropped)
        {
            batch.Queue.Complete(batch.Messages);
            return;
        }

        if (_sendBack is null)
        {
            Log.BroadcastFailed(_logger, batch.Messages.Count, batch.Queue.Queue, batch.Messages[0].QueueOffset);
            batch.Queue.Complete(batch.Messages);
            return;
        }

        List<ReceivedMessage>? kept = null;
        var done = new List<ReceivedMessage>(batch.Messages.Count);
        foreach (ReceivedMessage message in batch.Messages)
        {
            int delayLevel = DelayLevels.For(result, _options.RetryPolicy, message.ReconsumeTimes + 1);
            if (await _sendBack.TrySendAsync(message, delayLevel, stopping).ConfigureAwait(false))
            {
                done.Add(message);
            }
            else
            {
                kept ??= [];
                kept.Add(message with { ReconsumeTimes = message.ReconsumeTimes + 1 });
            }
        }

        batch.Queue.Complete(done);
        if (kept is not null)
        {
            _ = RetryAsync(batch.Queue, kept, stopping);
        }
    }

    private async Task RetryAsync(ProcessQueue queue, IReadOnlyList<ReceivedMessage> messages, CancellationToken stopping)
    {
        await Task.Delay(_options.LocalRetryDelay, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Dispatch(queue, messages);
    }

    private async Task ExpireAsync(CancellationToken cancel)
    {
        foreach ((Batch batch, long start) in _running)
        {
            if (_sendBack is null || batch.Queue.IsDropped || _time.GetElapsedTime(start) < _options.ConsumeTimeout)
            {
                continue;
            }

            bool all = true;
            foreach (ReceivedMessage message in batch.Messages)
            {
                int delayLevel =
                    DelayLevels.For(ConsumeResult.RetryLater, _options.RetryPolicy, message.ReconsumeTimes + 1);
                all &= await _sendBack.TrySendAsync(message, delayLevel, cancel).ConfigureAwait(false);
            }

            if (all && _running.TryRemove(batch, out _))
            {
                Log.HandlerExpired(
                    _logger, batch.Messages.Count, batch.Queue.Queue, batch.Messages[0].QueueOffset, _options.ConsumeTimeout);
                batch.Queue.Complete(batch.Messages);
            }
        }
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private sealed class Batch(ProcessQueue queue, IReadOnlyList<ReceivedMessage> messages)
    {
        public ProcessQueue Queue => queue;

        public IReadOnlyList<ReceivedMessage> Messages => messages;
    }
}
