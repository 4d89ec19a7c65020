using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace GrayMQ.Chaos;

/// <summary>Which delayed messages were sent, and how often each was delivered: those that were acknowledged once, others at most once.</summary>
internal sealed class DelayedLedger
{
    private readonly ConcurrentDictionary<(int Producer, long Number), bool> _acknowledged = new();
    private readonly Dictionary<(int Producer, long Number), int> _delivered = [];

    public int Count => _acknowledged.Count;

    public void Acknowledge(int producer, long number) => _acknowledged[(producer, number)] = true;

    /// <summary>Notes a delivery.</summary>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    public string? Deliver(ReadOnlySpan<byte> body)
    {
        if (body.Length < sizeof(int) + sizeof(long))
        {
            return $"corrupt: a delayed message of {body.Length} bytes";
        }

        int producer = BinaryPrimitives.ReadInt32LittleEndian(body);
        long number = BinaryPrimitives.ReadInt64LittleEndian(body[sizeof(int)..]);
        if (!body.SequenceEqual(Ledger.Body(producer, number)))
        {
            return $"corrupt: delayed message {number} of producer {producer}";
        }

        int times = _delivered[(producer, number)] = _delivered.GetValueOrDefault((producer, number)) + 1;
        return times > 1 ? $"twice: delayed message {number} of producer {producer} came {times} times" : null;
    }

    /// <summary>What was acknowledged and not delivered, a line each.</summary>
    public IEnumerable<string> Missing() => _acknowledged.Keys.Where(key => !_delivered.ContainsKey(key))
        .Select(key => $"lost: delayed message {key.Number} of producer {key.Producer}");
}
