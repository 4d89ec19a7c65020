using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Routes;

/// <summary>
/// When brokers came into the routes of topics that were in use already. One that shows fewer queues for writing than for reading takes its
/// share by itself, and is not counted as new.
/// </summary>
internal sealed class BrokerArrivals(TimeProvider time)
{
    // No slow start lasts longer.
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<(string Topic, string Broker), long> _cameAt = new();

    /// <summary>Raised with the name of a broker that is in a route for writing, and was not.</summary>
    public event Action<string>? Came;

    /// <summary>Whether any broker is new anywhere: the usual case is none.</summary>
    public bool Any => !_cameAt.IsEmpty;

    /// <summary>A topic's route has changed.</summary>
    public void Follow(TopicRoute before, TopicRoute now)
    {
        HashSet<string> were = [.. before.WritableQueues.Select(queue => queue.BrokerName)];
        HashSet<string> are = [.. now.WritableQueues.Select(queue => queue.BrokerName)];
        foreach (string gone in were.Except(are))
        {
            _cameAt.TryRemove((now.Topic, gone), out _);
        }

        foreach (string come in are.Except(were))
        {
            Came?.Invoke(come);
            if (now.Data.QueueDatas.Find(queues => queues.BrokerName == come) is { } queues && queues.WriteQueueNums >= queues.ReadQueueNums)
            {
                _cameAt[(now.Topic, come)] = time.GetTimestamp();
            }
        }
    }

    /// <summary>How long a broker has been in a topic's route; null where that is long ago, or from the beginning.</summary>
    public TimeSpan? AgeOf(MessageQueue queue)
    {
        (string Topic, string Broker) key = (queue.Topic, queue.BrokerName);
        if (!_cameAt.TryGetValue(key, out long cameAt))
        {
            return null;
        }

        TimeSpan age = time.GetElapsedTime(cameAt);
        if (age < Remembered)
        {
            return age;
        }

        _cameAt.TryRemove(KeyValuePair.Create(key, cameAt));
        return null;
    }
}
