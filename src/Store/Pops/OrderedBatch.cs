using System.Numerics;

namespace GrayMQ.Store.Pops;

/// <summary>
/// The messages that an orderly pop has handed out of a queue and locked it with: nobody else gets any until all are acked or have
/// become visible again (RocketMQ: ConsumerOrderInfoManager.OrderInfo). Guarded by the queue's gate. <see cref="PopDue.DueMs"/> is
/// when the last unacked one becomes visible.
/// </summary>
public sealed class OrderedBatch : PopDue
{
    internal OrderedBatch(
        PopQueue queue, byte[] attemptId, long popTimeMs, long invisibleMs, long[] offsets, long[] visibleMs, int[] deliveries,
        uint unacked, long[] ackedBeyond)
        : base(queue)
    {
        AttemptId = attemptId;
        PopTimeMs = popTimeMs;
        InvisibleMs = invisibleMs;
        Offsets = offsets;
        VisibleMs = visibleMs;
        Deliveries = deliveries;
        Unacked = unacked;
        AckedBeyond = ackedBeyond;
    }

    /// <summary>What the client calls this attempt, so that it may repeat it when the answer got lost; empty for nothing.</summary>
    public byte[] AttemptId { get; }

    public long PopTimeMs { get; }

    public long InvisibleMs { get; }

    /// <summary>Queue offsets, ascending.</summary>
    public long[] Offsets { get; }

    /// <summary>By message, when it becomes visible again, ms since 1970.</summary>
    public long[] VisibleMs { get; }

    /// <summary>By message, how often it had been handed out before.</summary>
    public int[] Deliveries { get; }

    /// <summary>Queue offsets beyond the first unacked message that were acked in an earlier batch, ascending.</summary>
    public long[] AckedBeyond { get; }

    /// <summary>One bit per message.</summary>
    internal uint Unacked { get; set; }

    public int UnackedCount => BitOperations.PopCount(Unacked);

    public bool IsUnacked(int index) => (Unacked & (1u << index)) != 0;

    /// <summary>Where the group stands: the first message that is not acked.</summary>
    public long CommittedOffset
    {
        get
        {
            for (int i = 0; i < Offsets.Length; i++)
            {
                if (IsUnacked(i))
                {
                    return Offsets[i];
                }
            }

            long next = Offsets[^1] + 1;
            foreach (long acked in AckedBeyond)
            {
                next = acked == next ? next + 1 : next;
            }

            return next;
        }
    }

    /// <summary>All is acked, and nothing that was acked out of turn is still to be passed over.</summary>
    internal bool IsOver => Unacked == 0 && (AckedBeyond.Length == 0 || AckedBeyond[^1] < CommittedOffset);

    /// <summary>Whether a message that may be handed out again was acked already.</summary>
    public bool WasAcked(long queueOffset)
    {
        int index = Offsets.AsSpan().IndexOf(queueOffset);
        return index >= 0 ? !IsUnacked(index) : AckedBeyond.AsSpan().Contains(queueOffset);
    }

    /// <summary>Whether others have to wait: some message is in hand still.</summary>
    public bool Blocks(long nowMs)
    {
        for (int i = 0; i < Offsets.Length; i++)
        {
            if (IsUnacked(i) && VisibleMs[i] > nowMs)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>When nothing of it blocks any more if nobody does anything, ms since 1970.</summary>
    internal long FreeMs
    {
        get
        {
            long free = 0;
            for (int i = 0; i < Offsets.Length; i++)
            {
                free = IsUnacked(i) ? Math.Max(free, VisibleMs[i]) : free;
            }

            return free;
        }
    }

    /// <summary>How often a message had been handed out before this batch.</summary>
    internal int DeliveriesOf(long queueOffset, bool sameAttempt)
    {
        int index = Offsets.AsSpan().IndexOf(queueOffset);
        return index < 0 ? 0 : Deliveries[index] + (sameAttempt ? 0 : 1);
    }

    /// <summary>What was acked out of turn and may be read again: for the batch that takes this one's place.</summary>
    internal long[] AckedFrom(long queueOffset)
    {
        var acked = new SortedSet<long>(AckedBeyond.Where(offset => offset >= queueOffset));
        for (int i = 0; i < Offsets.Length; i++)
        {
            if (!IsUnacked(i) && Offsets[i] >= queueOffset)
            {
                acked.Add(Offsets[i]);
            }
        }

        return [.. acked];
    }
}
