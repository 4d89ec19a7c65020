using System.Numerics;

namespace GrayMQ.Store.Pops;

/// <summary>
/// Messages of one queue that were handed out together and are not all acked yet (RocketMQ: PopCheckPoint). Everything that
/// changes is guarded by the queue's gate.
/// </summary>
public sealed class PopCheckPoint : PopDue
{
    /// <summary>Most messages of one batch: a bit each (RocketMQ: maxMsgNums).</summary>
    public const int MaxMessages = 32;

    // How far each message lies behind StartOffset; null when they follow it without a gap, as they do without a filter.
    private readonly int[]? _distances;

    internal PopCheckPoint(PopQueue queue, CheckPointId id, int count, int[]? distances, uint unacked, long invisibleMs)
        : base(queue)
    {
        Id = id;
        Count = count;
        _distances = distances;
        Unacked = unacked;
        InvisibleMs = invisibleMs;
    }

    public CheckPointId Id { get; }

    /// <summary>Messages handed out, acked ones included.</summary>
    public int Count { get; }

    /// <summary>How long the batch was to be invisible, ms.</summary>
    public long InvisibleMs { get; }

    /// <summary>Messages not acked.</summary>
    public int UnackedCount => BitOperations.PopCount(Unacked);

    /// <summary>One bit per message.</summary>
    internal uint Unacked { get; set; }

    /// <summary>On its way back to the queue: acks come too late.</summary>
    public bool IsReviving { get; internal set; }

    /// <summary>Whether the group's retry policy has put off its return already.</summary>
    public bool IsPutOff { get; internal set; }

    /// <summary>How often in a row its return has failed since the start.</summary>
    public int Failures { get; internal set; }

    internal int[]? Distances => _distances;

    /// <summary>Messages that follow <see cref="CheckPointId.StartOffset"/> without a gap need no list.</summary>
    internal static int[]? DistancesOf(long startOffset, ReadOnlySpan<long> offsets)
    {
        bool gapless = true;
        for (int i = 0; i < offsets.Length; i++)
        {
            gapless &= offsets[i] == startOffset + i;
        }

        if (gapless)
        {
            return null;
        }

        var distances = new int[offsets.Length];
        for (int i = 0; i < offsets.Length; i++)
        {
            distances[i] = checked((int)(offsets[i] - startOffset));
        }

        return distances;
    }

    internal static uint AllOf(int count) => count == MaxMessages ? uint.MaxValue : (1u << count) - 1;

    /// <summary>Queue offset of message <paramref name="index"/>.</summary>
    public long OffsetAt(int index) => Id.StartOffset + (_distances is null ? index : _distances[index]);

    public bool IsUnacked(int index) => (Unacked & (1u << index)) != 0;

    /// <summary>Which message stands at a queue offset; -1 for none.</summary>
    internal int IndexOf(long queueOffset)
    {
        long distance = queueOffset - Id.StartOffset;
        return distance is < 0 or > int.MaxValue ? -1
            : _distances is not null ? _distances.AsSpan().IndexOf((int)distance)
            : distance < Count ? (int)distance
            : -1;
    }
}
