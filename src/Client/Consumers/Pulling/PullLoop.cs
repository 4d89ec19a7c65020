using System.Collections.Concurrent;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>Pulls a push consumer's queues, each by a loop of its own, as long as there is room for what comes.</summary>
internal sealed class PullLoop(
    PullCaller caller,
    SubscriptionTable subscriptions,
    IOffsetStore offsets,
    IMessageDispatcher dispatcher,
    ConsumeStatistics statistics,
    Heartbeats heartbeats,
    PushConsumerOptions options,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(1);

    // RocketMQ: PULL_TIME_DELAY_MILLS_WHEN_BROKER_FLOW_CONTROL.
    private static readonly TimeSpan FlowControlDelay = TimeSpan.FromMilliseconds(20);

    private readonly Backoff _errors = new(PullErrors.FirstDelay, options.PullErrorDelay);
    private readonly ConcurrentDictionary<MessageQueue, long> _lastPullMs = new();

    /// <summary>When the queue was last pulled, milliseconds since 1970; 0 if never.</summary>
    public long LastPullMs(MessageQueue queue) => _lastPullMs.GetValueOrDefault(queue);

    /// <summary>
    /// Pulls until the token is cancelled, or the queue turns out not to have the offset: then returns the one to go on from.
    /// </summary>
    public async Task<long?> RunAsync(ProcessQueue queue, long offset, CancellationToken cancel)
    {
        int failures = 0;
        try
        {
            while (!queue.IsClosed)
            {
                await WaitForRoomAsync(queue, cancel).ConfigureAwait(false);
                if (subscriptions.Find(queue.Queue.Topic) is not { } subscription)
                {
                    break;
                }

                PullResult? result =
                    await TryPullAsync(queue.Queue, subscription, offset, failures, cancel).ConfigureAwait(false);
                failures = result is null ? failures + 1 : 0;
                if (result is null || queue.IsClosed)
                {
                    continue;
                }

                offset = result.NextOffset;
                switch (result.Status)
                {
                    case PullStatus.Found:
                        IReadOnlyList<ReceivedMessage> fresh = queue.Add(result.Messages, offset);
                        if (fresh.Count > 0)
                        {
                            dispatcher.Dispatch(queue, fresh);
                        }

                        break;
                    case PullStatus.OffsetMoved:
                        Log.OffsetMoved(logger, queue.Queue, offset);
                        return offset;
                    default:
                        queue.Advance(offset);
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The queue is taken away, or the consumer stops.
        }
        finally
        {
            _lastPullMs.TryRemove(queue.Queue, out _);
            caller.Forget(queue.Queue);
        }

        return null;
    }

    private async Task WaitForRoomAsync(ProcessQueue queue, CancellationToken cancel)
    {
        long? maxSpan = options.Orderly ? null : options.MaxOffsetSpan;
        bool waited = false;
        while (!queue.HasRoom(options.MaxCachedMessagesPerQueue, options.MaxCachedBytesPerQueue, maxSpan) && !queue.IsClosed)
        {
            if (!waited)
            {
                waited = true;
                Log.FlowControlled(logger, queue.Queue, queue.Count, queue.Bytes);
            }

            await queue.WaitForRoomAsync(RoomWait, cancel).ConfigureAwait(false);
        }

        cancel.ThrowIfCancellationRequested();
    }

    // Null after a failure, and a pause.
    private async Task<PullResult?> TryPullAsync(
        MessageQueue queue, SubscriptionData subscription, long offset, int failures, CancellationToken cancel)
    {
        _lastPullMs[queue] = time.GetUtcNow().ToUnixTimeMilliseconds();
        long start = time.GetTimestamp();
        TimeSpan pause;
        try
        {
            long? commit = options.MessageModel == MessageModel.Clustering && offsets.Peek(queue) is > 0 and { } handled
                ? handled
                : null;
            PullResult result =
                await caller.PullAsync(queue, subscription, offset, commit, null, cancel).ConfigureAwait(false);
            if (result.Status == PullStatus.Found)
            {
                statistics.Pulled(queue.Topic, result.Messages.Count, time.GetElapsedTime(start));
            }

            return result;
        }
        catch (BrokerException e) when (e.Code is ResponseCode.FlowControl)
        {
            pause = FlowControlDelay;
        }
        catch (BrokerException e) when (e.Code is ResponseCode.SubscriptionNotExist or ResponseCode.SubscriptionNotLatest)
        {
            // The broker has been started again, or missed a heartbeat: it has to be told what this consumer wants.
            Log.PullFailed(logger, queue, offset, e.Message);
            heartbeats.Wake();
            pause = _errors.After(failures + 1);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.PullFailed(logger, queue, offset, e.Message);
            pause = _errors.After(failures + 1);
        }

        await Task.Delay(pause, time, cancel).ConfigureAwait(false);
        return null;
    }
}
