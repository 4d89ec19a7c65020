using System.Collections.Concurrent;
using GrayMQ.Gray;

namespace GrayMQ.NameServer.Gray.Progress;

/// <summary>What each broker told last, in memory: brokers tell it again and again, and to every name server.</summary>
internal sealed class GrayBrokers(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, GrayBrokerReport> _brokers = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _brokers.Keys;

    /// <summary>Notes that a broker has asked for the state, which it does to act on it; false when there are too many.</summary>
    public bool TryNote(string broker) => TryNote(broker, null);

    /// <summary>Notes what a broker tells; false when there are too many.</summary>
    public bool TryNote(GrayProgress progress) => TryNote(progress.Broker, progress);

    public GrayBrokerReport? Find(string broker) => _brokers.GetValueOrDefault(broker);

    private bool TryNote(string broker, GrayProgress? progress)
    {
        if (!_brokers.ContainsKey(broker) && _brokers.Count >= NameServerLimits.MaxNodes)
        {
            return false;
        }

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        _brokers.AddOrUpdate(
            broker,
            static (_, report) => report,
            static (_, before, report) => report with { Progress = report.Progress ?? before.Progress },
            new GrayBrokerReport(now, progress));
        return true;
    }
}

/// <param name="AtMs">When it was heard of last, ms since 1970.</param>
/// <param name="Progress">Null while it has only asked.</param>
internal sealed record GrayBrokerReport(long AtMs, GrayProgress? Progress);
