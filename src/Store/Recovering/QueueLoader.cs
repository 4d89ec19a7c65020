using System.Globalization;
using System.Text;
using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>
/// Finds the consume queues on disk and where each ends. Entries are read by a handful of small reads per queue, not by
/// mapping files, so that thousands of queues cost little.
/// </summary>
internal sealed class QueueLoader(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    StoreFileSizes written,
    QueueTable queues,
    ConsumeQueueStorage storage,
    LogWalk walk,
    Quarantine quarantine,
    ILogger logger)
{
    private const int PageBytes = 4096;

    // Looked at once, when the first file of another size turns up: all files are seldom looked at twice.
    private bool _sizeIsRight;

    /// <summary>Where the newest message stands that any queue knows of: its end in the log; 0 for none.</summary>
    public long MaxPhysicalEnd { get; private set; }

    /// <summary>The entry that says so.</summary>
    public ConsumeQueueEntry MaxPhysicalEntry { get; private set; }

    /// <summary>Queues found on disk, usable or not.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Loads every queue, up to the entries that point below <paramref name="limit"/>. What lies behind does not count: the log
    /// will write it again, most likely just as it stands there.
    /// </summary>
    public void Load(long limit)
    {
        foreach (string topic in fileSystem.ListDirectories(options.ConsumeQueuePath))
        {
            string topicPath = Path.Combine(options.ConsumeQueuePath, topic);
            foreach (string id in fileSystem.ListDirectories(topicPath))
            {
                byte[] topicUtf8 = Encoding.UTF8.GetBytes(topic);
                if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int queueId)
                    || !QueueTable.IsValid(topicUtf8, queueId))
                {
                    Log.QueueDirectoryIgnored(logger, Path.Combine(topicPath, id));
                    continue;
                }

                Count++;
                LoadQueue(queues.GetOrAdd(topicUtf8, queueId), limit);
            }
        }
    }

    /// <summary>
    /// Holds every queue against the log, whose end is known by now: entries beyond it are cut off, and a queue whose last
    /// entry does not tell the truth is put away, to be built anew.
    /// </summary>
    public void Verify(long minPhysicalOffset, long logEnd)
    {
        foreach (LogicQueue queue in queues.All)
        {
            if (queue.Files.Length == 0)
            {
                continue;
            }

            if (MaxPhysicalEnd > logEnd)
            {
                CutBeyond(queue, logEnd);
            }

            if (queue.TryReadEntry(queue.MaxOffset - 1, out ConsumeQueueEntry last)
                && !last.IsBlank
                && last.PhysicalOffset >= minPhysicalOffset
                && !walk.IsMessageOf(last.PhysicalOffset, last.Size, queue, queue.MaxOffset - 1))
            {
                Rebuild(queue, "its last entry does not agree with the commit log");
                continue;
            }

            ClearBehindEnd(queue);
            queue.CorrectMinOffset(minPhysicalOffset);
            queue.Unmap();
        }
    }

    // Behind the end nothing may be left that could be taken for entries. What was there is overwritten by now, or the log
    // was cut: then it still stands right behind the end, or on the next page if that one did not get to the disk.
    private void ClearBehindEnd(LogicQueue queue)
    {
        if (queue.FindFile(queue.MaxOffset) is not { } file)
        {
            return;
        }

        long position = (queue.MaxOffset * ConsumeQueueEntry.Bytes) - file.BaseOffset;
        Span<byte> behind = stackalloc byte[(int)Math.Min((2 * PageBytes) - (position % PageBytes), storage.FileBytes - position)];
        bool isClear;
        using (IStoreFile open = fileSystem.Open(file.Path, create: false))
        {
            isClear = open.Read(position, behind) == behind.Length && !behind.ContainsAnyExcept((byte)0);
        }

        if (!isClear)
        {
            queue.CutTo(queue.MaxOffset);
        }
    }

    private void CutBeyond(LogicQueue queue, long limit)
    {
        long end = FindEnd(queue, limit, out ConsumeQueueEntry last);
        if (end < queue.MaxOffset)
        {
            Log.QueueCut(logger, queue.Topic, queue.QueueId, queue.MaxOffset, end, limit);
            queue.CutTo(end);

            // The log may hold what these entries should have said.
            queue.RebuildFrom = last.IsBlank ? 0 : last.EndOffset;
        }
    }

    private void LoadQueue(LogicQueue queue, long limit)
    {
        if (!TryFindFiles(queue, out ConsumeQueueFile[] files))
        {
            Rebuild(queue, "a file is missing or truncated");
            return;
        }

        queue.Load(files, files.Length == 0 ? 0 : files[^1].FirstEntry + storage.FileEntries);
        if (files.Length == 0)
        {
            return;
        }

        long end = FindEnd(queue, limit, out ConsumeQueueEntry last);
        bool isEmpty = end <= files[0].FirstEntry;
        if (!TailIsPlausible(queue, end, limit))
        {
            Rebuild(queue, $"what stands at entry {end} is none");
            return;
        }

        // The first file stays even if nothing in it counts: it will be written to again in a moment.
        int keep = files.Length;
        while (keep > 1 && files[keep - 1].FirstEntry >= end)
        {
            keep--;
            fileSystem.Delete(files[keep].Path);
        }

        queue.Load(files[..keep], end);

        if (!isEmpty && !last.IsBlank && last.EndOffset > MaxPhysicalEnd)
        {
            MaxPhysicalEntry = last;
            MaxPhysicalEnd = last.EndOffset;
        }
    }

    private void Rebuild(LogicQueue queue, string reason)
    {
        Log.QueueRebuilt(logger, queue.Topic, queue.QueueId, reason);
        quarantine.Take(queue.DirectoryPath, reason);
        queue.Retire();
        queue.Load([], 0);
        queue.RebuildFrom = 0;
    }

    // The files of a queue in order; false if one is missing in the middle or has lost some of its length.
    private bool TryFindFiles(LogicQueue queue, out ConsumeQueueFile[] files)
    {
        var found = new List<ConsumeQueueFile>();
        files = [];
        foreach (string name in fileSystem.ListFiles(queue.DirectoryPath))
        {
            string path = Path.Combine(queue.DirectoryPath, name);
            if (!CommitLogFile.TryParseName(name, out long baseOffset))
            {
                quarantine.Take(path, "its name is not an offset of 20 digits");
                continue;
            }

            long length = fileSystem.FileLength(path);
            if (length > storage.FileBytes)
            {
                throw OtherSize(length);
            }

            if (length == storage.FileBytes)
            {
                _sizeIsRight = true;
            }
            else if (!_sizeIsRight)
            {
                RefuseOtherSize();
                _sizeIsRight = true;
            }

            if (length < storage.FileBytes
                || baseOffset % storage.FileBytes != 0
                || (found.Count > 0 && baseOffset != found[^1].BaseOffset + storage.FileBytes))
            {
                return false;
            }

            found.Add(new ConsumeQueueFile(queue, baseOffset));
        }

        files = [.. found];
        return true;
    }

    // Queues could be built anew, but not for a slip in the settings, and not with RocketMQ's whole files put away.
    private void RefuseOtherSize()
    {
        if (written.ConsumeQueueFileBytes == storage.FileBytes)
        {
            return;
        }

        long common = -1;
        foreach (string path in FilePaths())
        {
            long length = fileSystem.FileLength(path);
            if (length == storage.FileBytes)
            {
                return;
            }

            common = common < 0 || common == length ? length : 0;
        }

        if (written.ConsumeQueueFileBytes > 0)
        {
            throw OtherSize(written.ConsumeQueueFileBytes);
        }

        if (common > 0 && common % ConsumeQueueEntry.Bytes == 0)
        {
            throw OtherSize(common);
        }
    }

    private IEnumerable<string> FilePaths() =>
        from topic in fileSystem.ListDirectories(options.ConsumeQueuePath)
        let topicPath = Path.Combine(options.ConsumeQueuePath, topic)
        from id in fileSystem.ListDirectories(topicPath)
        let queuePath = Path.Combine(topicPath, id)
        from name in fileSystem.ListFiles(queuePath)
        where CommitLogFile.TryParseName(name, out _)
        select Path.Combine(queuePath, name);

    private InvalidDataException OtherSize(long seen) => new(
        $"The consume queues in {options.ConsumeQueuePath} have files of {seen} bytes; mappedFileSizeConsumeQueue says "
        + $"{storage.FileBytes}. Set it to what the store was written with.");

    // One beyond the last entry that was written and points below the limit. Entries point upwards, and nothing is
    // written behind the end, so both the file and the entry are found by halving.
    private long FindEnd(LogicQueue queue, long limit, out ConsumeQueueEntry last)
    {
        ReadOnlySpan<ConsumeQueueFile> files = queue.Files;
        last = default;
        int low = 0;
        int high = files.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Counts(ReadEntry(queue, files[middle], 0), limit))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (low == 0)
        {
            return files[0].FirstEntry;
        }

        ConsumeQueueFile file = files[low - 1];
        using IStoreFile open = fileSystem.Open(file.Path, create: false);
        int first = 1;
        int end = storage.FileEntries;
        last = ReadEntry(open, 0);
        while (first < end)
        {
            int middle = (first + end) / 2;
            ConsumeQueueEntry entry = ReadEntry(open, middle);
            if (Counts(entry, limit))
            {
                last = entry;
                first = middle + 1;
            }
            else
            {
                end = middle;
            }
        }

        return file.FirstEntry + first;
    }

    private static bool Counts(in ConsumeQueueEntry entry, long limit) =>
        entry.IsBlank || (entry.IsWritten && entry.PhysicalOffset <= limit - entry.Size);

    // Behind the end there is nothing, or an entry that points beyond the limit. Anything else is damage.
    private bool TailIsPlausible(LogicQueue queue, long end, long limit)
    {
        if (queue.FindFile(end) is not { } file)
        {
            return true;
        }

        ConsumeQueueEntry entry = ReadEntry(queue, file, (int)(end - file.FirstEntry));
        return entry == default || (entry.IsWritten && entry.PhysicalOffset > limit - entry.Size);
    }

    private ConsumeQueueEntry ReadEntry(LogicQueue queue, ConsumeQueueFile file, int number)
    {
        using IStoreFile open = fileSystem.Open(file.Path, create: false);
        return ReadEntry(open, number);
    }

    private static ConsumeQueueEntry ReadEntry(IStoreFile file, int number)
    {
        Span<byte> bytes = stackalloc byte[ConsumeQueueEntry.Bytes];
        return file.Read((long)number * ConsumeQueueEntry.Bytes, bytes) == bytes.Length
            ? ConsumeQueueEntry.Read(bytes)
            : default;
    }
}
