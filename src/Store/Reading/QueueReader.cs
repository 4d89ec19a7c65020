using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Answers;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.Reading;

/// <summary>
/// Reads messages of a queue by its entries (RocketMQ: DefaultMessageStore.getMessage, with every rule for the next
/// offset). Allocates nothing.
/// </summary>
internal sealed class QueueReader(StoreOptions options, CommitLog log, CommitLogReader reader)
{
    /// <summary>Most bytes of one read, whatever was asked for (RocketMQ: MAX_PULL_MSG_SIZE).</summary>
    private const int MaxReadBytes = 128 * 1024 * 1024;

    /// <summary>Fewest bytes that can be asked for, as in RocketMQ; the first message is returned however large it is.</summary>
    private const int MinReadBytes = 100;

    // How far back from the end of the log a message is taken to be in memory.
    private readonly long _memoryBytes =
        (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * (options.AccessInMemoryMaxRatio / 100.0));

    /// <summary>Whether a message at this physical offset is taken to be in memory still.</summary>
    public bool IsInMemory(long physicalOffset) => log.MaxOffset - physicalOffset <= _memoryBytes;

    public ReadStatus Read(
        LogicQueue queue,
        long queueOffset,
        int maxCount,
        int maxBytes,
        IMessageFilter? filter,
        MessageSlices result,
        long endOffset)
    {
        long min = queue.MinOffset;
        long max = Math.Min(queue.MaxOffset, endOffset);
        result.MinOffset = min;
        result.MaxOffset = max;
        if (max == 0)
        {
            result.NextOffset = 0;
            return ReadStatus.NoMessageInQueue;
        }

        if (queueOffset < min)
        {
            result.NextOffset = min;
            return ReadStatus.OffsetTooSmall;
        }

        if (queueOffset >= max)
        {
            result.NextOffset = max;
            return queueOffset == max ? ReadStatus.OffsetOverflowOne : ReadStatus.OffsetOverflowBadly;
        }

        if (queue.FindFile(queueOffset) is not { } file || !file.TryLease(out MappedFile? entries))
        {
            result.NextOffset = queueOffset - (queueOffset % queue.Storage.FileEntries) + queue.Storage.FileEntries;
            return ReadStatus.OffsetFoundNull;
        }

        MappedFile? kept = null;
        try
        {
            file.Touch(queue.Storage.NowMs);
            AnswerFile? answers = filter?.ReadsAnswersOf(queue) == true ? queue.Answers.Find(queueOffset) : null;
            answers?.TryLease(out kept);
            return ReadFile(file, entries, kept is null ? null : answers, kept, queueOffset, max, maxCount, maxBytes, filter, result);
        }
        finally
        {
            kept?.Release();
            entries.Release();
        }
    }

    // One read stays within one consume-queue file: the next goes on in the next (RocketMQ: travelCqFileNumWhenGetMessage).
    private ReadStatus ReadFile(
        ConsumeQueueFile file,
        MappedFile entries,
        AnswerFile? answers,
        MappedFile? kept,
        long queueOffset,
        long max,
        int maxCount,
        int maxBytes,
        IMessageFilter? filter,
        MessageSlices result)
    {
        long logEnd = log.MaxOffset;
        int bytesWanted = Math.Clamp(maxBytes, MinReadBytes, MaxReadBytes);
        long entriesToScan = Math.Max(options.MaxFilterBytes, (long)maxCount * ConsumeQueueEntry.Bytes) / ConsumeQueueEntry.Bytes;
        long end = Math.Min(max, file.FirstEntry + (entries.Length / ConsumeQueueEntry.Bytes));
        end = Math.Min(end, queueOffset + entriesToScan);
        ReadStatus status = ReadStatus.NoMatchedMessage;
        long next = queueOffset;
        long skipBelow = long.MinValue;
        while (next < end)
        {
            ConsumeQueueEntry entry = ConsumeQueueEntry.Read(
                entries.Span((int)((next * ConsumeQueueEntry.Bytes) - file.BaseOffset), ConsumeQueueEntry.Bytes));
            if (IsFull(entry, logEnd, maxCount, bytesWanted, result))
            {
                break;
            }

            long offset = next++;
            if (entry.PhysicalOffset < skipBelow)
            {
                continue;
            }

            bool? answer = answers is null
                ? null
                : filter!.MatchesAnswer(answers.Read(kept!, (int)(offset - answers.FirstEntry), entry));
            if (answer == false || (filter is not null && !filter.MatchesEntry(entry.TagsCode)))
            {
                status = result.Count == 0 ? ReadStatus.NoMatchedMessage : status;
                continue;
            }

            int countBefore = result.Count;
            if (!reader.TryRead(entry.PhysicalOffset, entry.Size, offset, result, out StoredMessage message))
            {
                status = result.Count == 0 ? ReadStatus.MessageWasRemoving : status;
                skipBelow = NextFileIfGone(entry.PhysicalOffset);
                continue;
            }

            if (answer is null && filter is { NeedsMessage: true } && !filter.MatchesMessage(message))
            {
                result.RemoveLast();
                result.FilteredCount++;
                status = countBefore == 0 ? ReadStatus.NoMatchedMessage : status;
                continue;
            }

            status = ReadStatus.Found;
            skipBelow = long.MinValue;
        }

        result.NextOffset = next;
        return status;
    }

    // With its file gone, no other message of that file has to be tried; a damaged message says nothing of the next.
    private long NextFileIfGone(long physicalOffset)
    {
        long bytes = log.Files.FileBytes;
        return physicalOffset >= 0 && log.Files.Find(physicalOffset) is null
            ? physicalOffset - (physicalOffset % bytes) + bytes
            : long.MinValue;
    }

    private bool IsFull(
        in ConsumeQueueEntry entry, long logEnd, int maxCount, int maxBytes, MessageSlices result)
    {
        if (result.Count == 0)
        {
            return false;
        }

        long bytes = (long)result.TotalBytes + entry.Size;
        if (result.Count + 1 > maxCount || bytes > maxBytes)
        {
            return true;
        }

        bool isInMemory = logEnd - entry.PhysicalOffset <= _memoryBytes;
        return isInMemory
            ? bytes > options.MaxTransferBytesInMemory || result.Count >= options.MaxTransferCountInMemory
            : bytes > options.MaxTransferBytesOnDisk || result.Count >= options.MaxTransferCountOnDisk;
    }
}
