using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.Reading;

/// <summary>Finds queue offsets by store time, by halving (RocketMQ: ConsumeQueue.binarySearchInQueueByTime).</summary>
internal static class TimeSearch
{
    public static long Find(LogicQueue queue, CommitLogReader log, long timestampMs, BoundaryType boundary)
    {
        long min = queue.MinOffset;
        long max = queue.MaxOffset;
        if (boundary == BoundaryType.Lower)
        {
            return FirstNotBefore(queue, log, timestampMs, min, max);
        }

        // The last at or before a time is the one ahead of the first after it.
        long after = timestampMs == long.MaxValue ? max : FirstNotBefore(queue, log, timestampMs + 1, min, max);
        return Math.Max(min, after - 1);
    }

    private static long FirstNotBefore(LogicQueue queue, CommitLogReader log, long timestampMs, long low, long high)
    {
        while (low < high)
        {
            long middle = low + ((high - low) / 2);
            long probe = middle;
            long stored = StoredAt(queue, log, probe);
            while (stored < 0 && ++probe < high)
            {
                // A lost message has no time: the next one tells.
                stored = StoredAt(queue, log, probe);
            }

            if (probe == high || stored >= timestampMs)
            {
                high = middle;
            }
            else
            {
                low = probe + 1;
            }
        }

        return low;
    }

    private static long StoredAt(LogicQueue queue, CommitLogReader log, long queueOffset) =>
        queue.TryReadEntry(queueOffset, out ConsumeQueueEntry entry) && !entry.IsBlank
            ? log.StoreTimestampAt(entry.PhysicalOffset)
            : -1;
}
