using System.Collections.Concurrent;
using GrayMQ.Client.Sessions;

namespace GrayMQ.Client.Producers;

/// <summary>Which brokers are passed over: those that leave, and for a while those that have just failed.</summary>
internal sealed class BrokerFaults(LeavingBrokers leaving, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _avoidUntil = new(StringComparer.Ordinal);

    /// <summary>Whether any broker is passed over: the usual case is none.</summary>
    public bool Any => !_avoidUntil.IsEmpty || leaving.Any;

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
        if (leaving.Contains(brokerName))
        {
            return true;
        }

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
