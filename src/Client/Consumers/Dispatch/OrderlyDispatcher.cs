using System.Collections.Concurrent;
using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>
/// Handles the messages of each queue one behind the other, and several queues side by side. A message that fails is handed out again
/// after a moment, before any other of its queue; only when it has failed too often is it given to the broker.
/// </summary>
internal sealed class OrderlyDispatcher : IMessageDispatcher, IDisposable
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(30);

    // How often to look whether a lock that has expired is held again.
    private static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(100);

    private readonly HandlerInvoker _invoker;
    private readonly SendBack? _sendBack;
    private readonly Func<MessageQueue, bool> _mayHandle;
    private readonly PushConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _slots;
    private readonly ConcurrentDictionary<ProcessQueue, Task> _queues = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _cancelHandlers = new();

    /// <param name="sendBack">Null for broadcasting consumers.</param>
    /// <param name="mayHandle">Whether the queue's lock is held.</param>
    public OrderlyDispatcher(
        HandlerInvoker invoker,
        SendBack? sendBack,
        Func<MessageQueue, bool> mayHandle,
        PushConsumerOptions options,
        TimeProvider time,
        ILogger logger)
    {
        _invoker = invoker;
        _sendBack = sendBack;
        _mayHandle = mayHandle;
        _options = options;
        _time = time;
        _logger = logger;
        _slots = new SemaphoreSlim(options.MaxConcurrency);
    }

    public void Begin(ProcessQueue queue) => _queues[queue] = Task.Run(() => RunAsync(queue));

    public void Dispatch(ProcessQueue queue, IReadOnlyList<ReceivedMessage> messages)
    {
        // The queue's own loop sees them.
    }

    public async Task EndAsync(ProcessQueue queue)
    {
        if (_queues.TryGetValue(queue, out Task? running))
        {
            await running.ConfigureAwait(false);
            _queues.TryRemove(queue, out _);
        }
    }

    public async Task StopAsync(TimeSpan patience)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task all = Task.WhenAll(_queues.Values);
        await all.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!all.IsCompleted)
        {
            Log.HandlersLeft(_logger, _queues.Values.Count(queue => !queue.IsCompleted), patience.TotalSeconds);
        }

        await _cancelHandlers.CancelAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        _slots.Dispose();
        _stopping.Dispose();
        _cancelHandlers.Dispose();
    }

    private async Task RunAsync(ProcessQueue queue)
    {
        CancellationToken stopping = _stopping.Token;
        CancellationToken cancel = _cancelHandlers.Token;
        int failures = 0;
        try
        {
            while (!queue.IsClosed && !stopping.IsCancellationRequested)
            {
                IReadOnlyList<ReceivedMessage> batch = queue.Peek(_options.ConsumeBatchSize);
                if (batch.Count == 0)
                {
                    await queue.WaitForMessagesAsync(IdleWait, stopping).ConfigureAwait(false);
                }
                else if (!_mayHandle(queue.Queue))
                {
                    await Task.Delay(LockWait, _time, stopping).ConfigureAwait(false);
                }
                else
                {
                    ConsumeResult? result =
                        await HandleAsync(queue, WithFailures(batch, failures), stopping, cancel).ConfigureAwait(false);
                    if (result is { IsSuccess: true })
                    {
                        queue.Complete(batch);
                        failures = 0;
                    }
                    else if (result is { } failed)
                    {
                        failures++;
                        TimeSpan suspend = failed.Delay
                            ?? _options.RetryPolicy?.DelayAfter(batch[0].ReconsumeTimes + failures)
                            ?? _options.SuspendCurrentQueue;
                        await queue.WaitUntilClosedAsync(suspend, stopping).ConfigureAwait(false);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private static IReadOnlyList<ReceivedMessage> WithFailures(IReadOnlyList<ReceivedMessage> batch, int failures) =>
        failures == 0
            ? batch
            : [.. batch.Select(message => message with { ReconsumeTimes = message.ReconsumeTimes + failures })];

    // Null when handling was not begun; success also when the broker has taken over what failed.
    private async Task<ConsumeResult?> HandleAsync(
        ProcessQueue queue, IReadOnlyList<ReceivedMessage> batch, CancellationToken stopping, CancellationToken cancel)
    {
        ConsumeResult result;
        await _slots.WaitAsync(stopping).ConfigureAwait(false);
        try
        {
            if (queue.IsClosed || !_mayHandle(queue.Queue))
            {
                return null;
            }

            result = await _invoker.InvokeAsync(queue.Queue, batch, cancel).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }

        return !result.IsSuccess && await TryGiveUpAsync(batch, result, stopping).ConfigureAwait(false)
            ? ConsumeResult.Success
            : result;
    }

    // Messages that have failed too often go to the broker, which puts them where they do not hold up the others.
    private async Task<bool> TryGiveUpAsync(
        IReadOnlyList<ReceivedMessage> batch, ConsumeResult result, CancellationToken stopping)
    {
        if (_sendBack is null)
        {
            return result.IsDeadLetter;
        }

        if (!result.IsDeadLetter && batch.Any(message => message.ReconsumeTimes < _options.MaxOrderlyReconsumeTimes))
        {
            return false;
        }

        int delayLevel = result.IsDeadLetter ? DelayLevels.DeadLetter : DelayLevels.ChosenByBroker;
        foreach (ReceivedMessage message in batch)
        {
            if (!await _sendBack.TrySendAsync(message, delayLevel, stopping).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }
}
