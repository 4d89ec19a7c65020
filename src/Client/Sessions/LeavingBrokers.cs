using System.Collections.Concurrent;

namespace GrayMQ.Client.Sessions;

/// <summary>
/// Brokers that have said that they leave: nothing is sent to them where others take it. The routes will say so too, so that this
/// need not be remembered for long.
/// </summary>
internal sealed class LeavingBrokers(TimeProvider time)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, long> _heardAt = new(StringComparer.Ordinal);

    /// <summary>Raised with the name of a broker that was not known to leave until now.</summary>
    public event Action<string>? Heard;

    public bool Any => !_heardAt.IsEmpty;

    /// <summary>A broker has said whether it leaves.</summary>
    public void Tell(string brokerName, bool leaving)
    {
        if (!leaving)
        {
            if (Any)
            {
                _heardAt.TryRemove(brokerName, out _);
            }

            return;
        }

        bool isNew = !Contains(brokerName);
        _heardAt[brokerName] = time.GetTimestamp();
        if (isNew)
        {
            Heard?.Invoke(brokerName);
        }
    }

    public bool Contains(string brokerName)
    {
        if (!_heardAt.TryGetValue(brokerName, out long heardAt))
        {
            return false;
        }

        if (time.GetElapsedTime(heardAt) < Remembered)
        {
            return true;
        }

        _heardAt.TryRemove(KeyValuePair.Create(brokerName, heardAt));
        return false;
    }
}
