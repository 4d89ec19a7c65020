using System.Collections.Concurrent;
using System.Collections.Immutable;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>
/// Chooses queues in turn, topic by topic. Passes over brokers that were tried for this message already and brokers that have just
/// failed, as long as there are others; at least over the one that was tried last. Of the turns of a broker that is new, others take some.
/// </summary>
internal sealed class QueueRotation(BrokerFaults faults, SlowStart slowStart)
{
    private readonly ConcurrentDictionary<string, Position> _positions = new(StringComparer.Ordinal);

    /// <param name="queues">Not empty.</param>
    /// <param name="tried">Names of the brokers that failed to take the message, the last one last.</param>
    public MessageQueue Next(string topic, ImmutableArray<MessageQueue> queues, IReadOnlyList<string> tried)
    {
        uint start = _positions.GetOrAdd(topic, static _ => new Position()).Next();
        MessageQueue first = queues[(int)(start % (uint)queues.Length)];
        if (tried.Count == 0 && !faults.Any && !slowStart.Any)
        {
            return first;
        }

        MessageQueue? untried = null;
        MessageQueue? healthy = null;
        MessageQueue? other = null;
        for (uint i = 0; i < (uint)queues.Length; i++)
        {
            MessageQueue queue = queues[(int)((start + i) % (uint)queues.Length)];
            bool isTried = tried.Contains(queue.BrokerName);
            bool isAvoided = faults.IsAvoided(queue.BrokerName);
            if (!isTried && !isAvoided)
            {
                return slowStart.PassesOver(queue) ? InItsPlace(queue, queues, tried) : queue;
            }

            untried ??= isTried ? null : queue;
            healthy ??= isAvoided ? null : queue;
            other ??= isTried && tried[^1] == queue.BrokerName ? null : queue;
        }

        return untried ?? healthy ?? other ?? first;
    }

    // Any other broker's, not just the next one's, which would get all that this one is spared.
    private MessageQueue InItsPlace(MessageQueue passedOver, ImmutableArray<MessageQueue> queues, IReadOnlyList<string> tried)
    {
        MessageQueue[] others =
        [
            .. queues.Where(queue =>
                queue.BrokerName != passedOver.BrokerName && !tried.Contains(queue.BrokerName) && !faults.IsAvoided(queue.BrokerName)),
        ];
        return others.Length == 0 ? passedOver : slowStart.Choose(others);
    }

    private sealed class Position
    {
        // Producers that start together do not all begin with the same queue.
        private uint _next = (uint)Random.Shared.Next();

        public uint Next() => Interlocked.Increment(ref _next);
    }
}
