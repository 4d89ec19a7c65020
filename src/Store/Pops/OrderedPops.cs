using System.Numerics;

namespace GrayMQ.Store.Pops;

/// <summary>
/// Messages that are handed out in order: a queue is locked with one batch at a time, and the group stands at the first message that is
/// not acked, so that what is not acked comes again from the queue itself. Part of <see cref="PopStore"/>.
/// </summary>
public sealed class OrderedPops
{
    private readonly PopDatabase _database;
    private readonly PopLedger _ledger;

    internal OrderedPops(PopDatabase database, PopLedger ledger)
    {
        _database = database;
        _ledger = ledger;
    }

    /// <summary>
    /// Hands messages out, in place of the batch that the queue was locked with before. The gate is held. The queue's next offset stays
    /// where the group's first unacked message is.
    /// </summary>
    /// <param name="attemptId">UTF-8; a repeated attempt is not counted as one more. Empty for none.</param>
    /// <param name="offsets">Queue offsets, ascending, at most <see cref="PopCheckPoint.MaxMessages"/>.</param>
    public OrderedBatch Take(
        PopQueue queue, ReadOnlySpan<byte> attemptId, long popTimeMs, ReadOnlySpan<long> offsets, long invisibleMs)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offsets.Length - 1, (uint)PopCheckPoint.MaxMessages - 1, nameof(offsets));
        OrderedBatch? before = queue.Ordered;
        bool sameAttempt = before is not null && !attemptId.IsEmpty && attemptId.SequenceEqual(before.AttemptId);
        long due = PopDue.After(popTimeMs, invisibleMs);
        var deliveries = new int[offsets.Length];
        var visible = new long[offsets.Length];
        for (int i = 0; i < offsets.Length; i++)
        {
            deliveries[i] = before?.DeliveriesOf(offsets[i], sameAttempt) ?? 0;
            visible[i] = due;
        }

        var ordered = new OrderedBatch(
            queue,
            attemptId.Length > PopCodec.MaxAttemptBytes ? [] : attemptId.ToArray(),
            popTimeMs,
            invisibleMs,
            offsets.ToArray(),
            visible,
            deliveries,
            PopCheckPoint.AllOf(offsets.Length),
            before?.AckedFrom(offsets[0]) ?? []);
        using (PopChange change = _database.Begin())
        {
            change.PutOrdered(queue, ordered);
            change.PutOffset(queue, offsets[0]);
            change.Write();
        }

        _ledger.Replace(queue, ordered);
        queue.NextOffset = offsets[0];
        return ordered;
    }

    /// <summary>
    /// Acks messages of the batch in hand, in one change. Takes the gate. The group goes on behind what is acked, unless it was moved
    /// elsewhere since.
    /// </summary>
    /// <param name="bits">Bit n, from the lowest of the first byte on, stands for the queue offset <paramref name="startOffset"/> + n.</param>
    /// <returns>How many of them were in hand; 0 also when the batch in hand is not the one of that time.</returns>
    public int Ack(PopQueue queue, long popTimeMs, long startOffset, ReadOnlySpan<byte> bits)
    {
        lock (queue.Gate)
        {
            if (queue.Ordered is not { } ordered || ordered.PopTimeMs != popTimeMs)
            {
                return 0;
            }

            uint before = ordered.Unacked;
            long stood = ordered.CommittedOffset;
            ordered.Unacked &= ~Chosen(ordered, startOffset, bits);
            int acked = BitOperations.PopCount(before ^ ordered.Unacked);
            if (acked == 0)
            {
                return 0;
            }

            long stands = queue.NextOffset == stood ? ordered.CommittedOffset : queue.NextOffset;
            try
            {
                using PopChange change = _database.Begin();
                change.PutOffset(queue, stands);
                change.PutOrdered(queue, ordered.IsOver ? null : ordered);
                change.Write();
            }
            catch
            {
                ordered.Unacked = before;
                throw;
            }

            queue.NextOffset = stands;
            _ledger.Account(ordered, acked);
            if (ordered.IsOver)
            {
                _ledger.Replace(queue, null);
            }

            return acked;
        }
    }

    /// <summary>Gives a message a new time. Takes the gate. False when the batch in hand does not hold it unacked.</summary>
    public bool TryChange(PopQueue queue, long popTimeMs, long queueOffset, long visibleMs)
    {
        lock (queue.Gate)
        {
            if (queue.Ordered is not { } ordered || ordered.PopTimeMs != popTimeMs)
            {
                return false;
            }

            int index = ordered.Offsets.AsSpan().IndexOf(queueOffset);
            if (index < 0 || !ordered.IsUnacked(index))
            {
                return false;
            }

            long before = ordered.VisibleMs[index];
            ordered.VisibleMs[index] = visibleMs;
            try
            {
                using PopChange change = _database.Begin();
                change.PutOrdered(queue, ordered);
                change.Write();
            }
            catch
            {
                ordered.VisibleMs[index] = before;
                throw;
            }

            _ledger.Schedule(ordered, ordered.FreeMs);
            return true;
        }
    }

    /// <summary>
    /// The lock of a batch that is due is over: it is due no more, what it tells of its messages is kept. Takes the gate. False when it
    /// is not due any more.
    /// </summary>
    public bool TryRelease(OrderedBatch ordered, long nowMs)
    {
        lock (ordered.Queue.Gate)
        {
            if (!ReferenceEquals(ordered.Queue.Ordered, ordered) || ordered.DueMs > nowMs || ordered.HeapIndex < 0)
            {
                return false;
            }

            _ledger.Unschedule(ordered);
            return true;
        }
    }

    private static uint Chosen(OrderedBatch ordered, long startOffset, ReadOnlySpan<byte> bits)
    {
        uint chosen = 0;
        for (int i = 0; i < ordered.Offsets.Length; i++)
        {
            long distance = ordered.Offsets[i] - startOffset;
            if (distance >= 0
                && distance / 8 < bits.Length
                && (bits[(int)(distance / 8)] & (1 << (int)(distance % 8))) != 0)
            {
                chosen |= 1u << i;
            }
        }

        return chosen;
    }
}
