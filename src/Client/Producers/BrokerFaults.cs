using System.Collections.Concurrent;

namespace GrayMQ.Client.Producers;

/// <summary>Which brokers have just failed, and until when they are passed over.</summary>
internal sealed class BrokerFaults(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _avoidUntil = new(StringComparer.Ordinal);

    /// <summary>Whether any broker is passed over: the usual case is none.</summary>
    public bool Any => !_avoidUntil.IsEmpty;

    public void Avoid(string brokerName, TimeSpan duration) =>
        _avoidUntil[brokerName] = time.GetTimestamp() + (long)(duration.TotalSeconds * time.TimestampFrequency);

    public void Trust(string brokerName)
    {
        if (Any)
        {
            _avoidUntil.TryRemove(brokerName, out _);
        }
    }

    public bool IsAvoided(string brokerName)
    {
        if (!_avoidUntil.TryGetValue(brokerName, out long until))
        {
            return false;
        }

        if (until > time.GetTimestamp())
        {
            return true;
        }

        _avoidUntil.TryRemove(KeyValuePair.Create(brokerName, until));
        return false;
    }
}
