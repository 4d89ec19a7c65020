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

    /// <summary>Compares what is stored with what was acknowledged.</summary>
    /// <param name="stored">By queue and offset, the bodies.</param>
    /// <returns>What is wrong, a line each.</returns>
    public IEnumerable<string> Compare(IReadOnlyDictionary<(int Queue, long Offset), byte[]> stored)
    {
        foreach (((int queue, long offset), byte[] body) in stored)
        {
            if (!IsWhole(body))
            {
                yield return $"corrupt: queue {queue} offset {offset}, {body.Length} bytes";
            }
        }

        foreach (((int queue, long offset), (int producer, long number)) in _acknowledged)
        {
            if (!stored.TryGetValue((queue, offset), out byte[]? body))
            {
                yield return $"lost: message {number} of producer {producer}, acknowledged at queue {queue} offset {offset}";
            }
            else if (!body.AsSpan().SequenceEqual(Body(producer, number)))
            {
                yield return $"wrong: queue {queue} offset {offset} does not hold message {number} of producer {producer}";
            }
        }
    }

    private static bool IsWhole(byte[] body) =>
        body.Length >= NumberBytes
        && body.AsSpan().SequenceEqual(
            Body(BinaryPrimitives.ReadInt32LittleEndian(body), BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(sizeof(int)))));

    private static int FillBytes(int producer, long number) => (int)(((number * 7919) + (producer * 104_729)) % MaxFillBytes);
}
