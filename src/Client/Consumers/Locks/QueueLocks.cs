using System.Collections.Concurrent;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Locks;

/// <summary>
/// The sole right of an orderly consumer to its queues, which brokers give for a minute at a time. What was not renewed for half of that
/// counts as lost here, so that it is given up before anybody else can get it.
/// </summary>
internal sealed class QueueLocks(ClientSession session, string group, ILogger logger)
{
    /// <summary>How often to renew (RocketMQ: REBALANCE_LOCK_INTERVAL).</summary>
    public static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(20);

    // RocketMQ: REBALANCE_LOCK_MAX_LIVE_TIME.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<MessageQueue, long> _lockedAt = new();

    /// <summary>Whether the lock was given or renewed recently enough to rely on it.</summary>
    public bool Holds(MessageQueue queue) =>
        _lockedAt.TryGetValue(queue, out long at) && session.Time.GetElapsedTime(at) < MaxAge;

    /// <summary>Asks for queues, or renews them; those that are locked now can be told by <see cref="Holds"/>.</summary>
    public Task LockAsync(IEnumerable<MessageQueue> queues, CancellationToken cancel) =>
        Task.WhenAll(queues.GroupBy(queue => queue.BrokerName).Select(broker => LockAtBrokerAsync([.. broker], cancel)));

    /// <summary>Gives queues back, as far as their brokers can be reached; their locks expire anyway.</summary>
    public Task UnlockAsync(IEnumerable<MessageQueue> queues, CancellationToken cancel) =>
        Task.WhenAll(queues.GroupBy(queue => queue.BrokerName).Select(broker => UnlockAtBrokerAsync([.. broker], cancel)));

    private async Task LockAtBrokerAsync(List<MessageQueue> queues, CancellationToken cancel)
    {
        try
        {
            string? address = await FindMasterAsync(queues[0], cancel).ConfigureAwait(false);
            if (address is null)
            {
                return;
            }

            var body = new LockBatchRequestBody { ConsumerGroup = group, ClientId = session.ClientId, MqSet = queues };

            // The broker's minute begins when it gets the request, not before this.
            long asked = session.Time.GetTimestamp();
            RemotingCommand response = await session.Servers
                .CallAsync(address, RequestCode.LockBatchMQ, default(NoHeader), BodyCodec.Encode(body), cancel: cancel)
                .ConfigureAwait(false);
            List<MessageQueue> locked = BodyCodec.Decode<LockBatchResponseBody>(response.Body).LockedQueues;
            foreach (MessageQueue queue in queues)
            {
                if (locked.Contains(queue))
                {
                    _lockedAt[queue] = asked;
                }
                else
                {
                    _lockedAt.TryRemove(queue, out _);
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.LockFailed(logger, queues.Count, queues[0].BrokerName, e.Message);
        }
    }

    private async Task UnlockAtBrokerAsync(List<MessageQueue> queues, CancellationToken cancel)
    {
        foreach (MessageQueue queue in queues)
        {
            _lockedAt.TryRemove(queue, out _);
        }

        try
        {
            if (await FindMasterAsync(queues[0], cancel).ConfigureAwait(false) is { } address)
            {
                var body = new UnlockBatchRequestBody { ConsumerGroup = group, ClientId = session.ClientId, MqSet = queues };
                await session.Servers
                    .CallAsync(address, RequestCode.UnlockBatchMQ, default(NoHeader), BodyCodec.Encode(body), cancel: cancel)
                    .ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            Log.UnlockFailed(logger, queues.Count, queues[0].BrokerName, e.Message);
        }
    }

    private async ValueTask<string?> FindMasterAsync(MessageQueue queue, CancellationToken cancel)
    {
        TopicRoute? route = await session.Routes.FindAsync(queue.Topic, cancel).ConfigureAwait(false);
        return route?.FindMaster(queue.BrokerName);
    }
}
