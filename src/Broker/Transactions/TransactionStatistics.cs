using System.Collections.Concurrent;
using GrayMQ.Broker.Names;

namespace GrayMQ.Broker.Transactions;

/// <summary>How many transactions have ended since the start, how, and after how long.</summary>
internal sealed class TransactionStatistics
{
    /// <summary>Upper bounds of the latency's buckets, in seconds; above them is one more (RocketMQ: commitLatencyBuckets).</summary>
    public static readonly IReadOnlyList<long> LatencyBoundsSeconds = [5, 60, 600, 3600, 12 * 3600, 24 * 3600];

    private readonly ConcurrentDictionary<string, TopicTransactions> _topics = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, TopicTransactions>.AlternateLookup<ReadOnlySpan<byte>> _byUtf8;

    public TransactionStatistics() => _byUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();

    public IEnumerable<KeyValuePair<string, TopicTransactions>> Topics => _topics;

    /// <param name="topic">What the message was sent to.</param>
    /// <param name="seconds">From the sending of the message on.</param>
    public void Ended(ReadOnlySpan<byte> topic, bool committed, long seconds)
    {
        if (!_byUtf8.TryGetValue(topic, out TopicTransactions? transactions))
        {
            transactions = _topics.GetOrAdd(Utf8NameComparer.Instance.Create(topic), static _ => new TopicTransactions());
        }

        transactions.Ended(committed, Math.Max(0, seconds));
    }

    /// <summary>Forgets a topic that was deleted.</summary>
    public void Remove(string topic) => _topics.TryRemove(topic, out _);
}

/// <summary>The ended transactions of one topic.</summary>
internal sealed class TopicTransactions
{
    private readonly long[] _commits = new long[TransactionStatistics.LatencyBoundsSeconds.Count + 1];
    private long _rollbacks;
    private long _seconds;

    public long Rollbacks => Volatile.Read(ref _rollbacks);

    public long Commits => CommitsByLatency.Sum();

    /// <summary>All commits' latencies together, seconds.</summary>
    public long CommitSeconds => Volatile.Read(ref _seconds);

    /// <summary>Commits per bucket, not summed up.</summary>
    public IReadOnlyList<long> CommitsByLatency => _commits;

    public void Ended(bool committed, long seconds)
    {
        if (!committed)
        {
            Interlocked.Increment(ref _rollbacks);
            return;
        }

        int bucket = 0;
        while (bucket < TransactionStatistics.LatencyBoundsSeconds.Count && seconds > TransactionStatistics.LatencyBoundsSeconds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _commits[bucket]);
        Interlocked.Add(ref _seconds, seconds);
    }
}
