using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace GrayMQ.Chaos;

/// <summary>Which messages were acknowledged, and what each of them holds: numbers first, then bytes that follow from them.</summary>
internal sealed class Ledger
{
    private const int NumberBytes = sizeof(int) + sizeof(long);
    private const int MaxFillBytes = 2048;

    private readonly ConcurrentDictionary<(int Queue, long Offset), (int Producer, long Number)> _acknowledged = new();

    public int Count => _acknowledged.Count;

    public static byte[] Body(int producer, long number)
    {
        byte[] body = new byte[NumberBytes + FillBytes(producer, number)];
        BinaryPrimitives.WriteInt32LittleEndian(body, producer);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(sizeof(int)), number);
        byte[] pattern = SHA256.HashData(body.AsSpan(0, NumberBytes));
        for (int i = NumberBytes; i < body.Length; i++)
        {
            body[i] = pattern[i % pattern.Length];
        }

        return body;
    }

    /// <summary>Notes an acknowledgement; false when another message was acknowledged at the same place.</summary>
    public bool Acknowledge(int queue, long offset, int producer, long number) =>
        _acknowledged.TryAdd((queue, offset), (producer, number));

    /// <summary>Compares a stored message with what was acknowledged at its place, and ticks it off.</summary>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    public string? Check(int queue, long offset, ReadOnlySpan<byte> body)
    {
        if (!IsWhole(body))
        {
            return $"corrupt: queue {queue} offset {offset}, {body.Length} bytes";
        }

        return _acknowledged.TryRemove((queue, offset), out (int Producer, long Number) sent)
            && !body.SequenceEqual(Body(sent.Producer, sent.Number))
                ? $"wrong: queue {queue} offset {offset} does not hold message {sent.Number} of producer {sent.Producer}"
                : null;
    }

    /// <summary>What was acknowledged and has not been found, a line each.</summary>
    public IEnumerable<string> Missing() => _acknowledged.Select(entry =>
        $"lost: message {entry.Value.Number} of producer {entry.Value.Producer}, "
        + $"acknowledged at queue {entry.Key.Queue} offset {entry.Key.Offset}");

    private static bool IsWhole(ReadOnlySpan<byte> body) =>
        body.Length >= NumberBytes
        && body.SequenceEqual(
            Body(BinaryPrimitives.ReadInt32LittleEndian(body), BinaryPrimitives.ReadInt64LittleEndian(body[sizeof(int)..])));

    private static int FillBytes(int producer, long number) => (int)(((number * 7919) + (producer * 104_729)) % MaxFillBytes);
}
