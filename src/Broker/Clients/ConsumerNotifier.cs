using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// Tells the clients of a group that it has changed, so that they share the queues out anew. Groups that change while
/// others are being told are told once, however often they have changed: a thousand clients that come at once do not
/// cost a million messages.
/// </summary>
public sealed class ConsumerNotifier(Func<string, bool> isWanted, ILogger<ConsumerNotifier> logger)
{
    private readonly ConcurrentDictionary<ConsumerGroup, byte> _changed = new();
    private int _telling;

    /// <summary>Marks a group as changed; it is told soon, on the thread pool. Broadcasting groups share nothing out.</summary>
    public void Changed(ConsumerGroup group)
    {
        if (group.MessageModel == MessageModel.Broadcasting)
        {
            return;
        }

        _changed[group] = 0;
        if (Interlocked.Exchange(ref _telling, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static notifier => notifier.TellAll(), this, preferLocal: false);
        }
    }

    private void TellAll()
    {
        do
        {
            foreach (ConsumerGroup group in _changed.Keys)
            {
                if (_changed.TryRemove(group, out _))
                {
                    Tell(group);
                }
            }

            // A full fence: a group that was marked before this is seen below.
            Interlocked.Exchange(ref _telling, 0);
        }
        while (!_changed.IsEmpty && Interlocked.Exchange(ref _telling, 1) == 0);
    }

    private void Tell(ConsumerGroup group)
    {
        try
        {
            if (!isWanted(group.Name))
            {
                return;
            }

            var header = new NotifyConsumerIdsChangedHeader { ConsumerGroup = group.Name };
            foreach (ConsumerClient client in group.Clients)
            {
                client.Connection.SendOneWay(RequestCode.NotifyConsumerIdsChanged, in header);
            }
        }
        catch (Exception e)
        {
            Log.NotifyFailed(logger, e, group.Name);
        }
    }
}
