using System.Globalization;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Answers;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>
/// One queue of a topic: the consume queue, which tells where in the commit log its messages stand. Entries are written
/// by the dispatcher alone (under its lock) and read by anybody.
/// </summary>
public sealed class LogicQueue
{
    private readonly TopicQueues _topic;
    private volatile ConsumeQueueFile[] _files = [];
    private long _minOffset;
    private long _maxOffset;

    internal LogicQueue(ConsumeQueueStorage storage, TopicQueues topic, int queueId)
    {
        Storage = storage;
        _topic = topic;
        QueueId = queueId;
        Answers = new QueueAnswers(this);
    }

    public string Topic => _topic.Topic;

    public ReadOnlySpan<byte> TopicUtf8 => _topic.TopicUtf8;

    public int QueueId { get; }

    /// <summary>The first entry whose message the log still has. Equal to <see cref="MaxOffset"/> if there is none.</summary>
    public long MinOffset => Volatile.Read(ref _minOffset);

    /// <summary>One beyond the last entry that can be read.</summary>
    public long MaxOffset => Volatile.Read(ref _maxOffset);

    /// <summary>Messages that can be read.</summary>
    public long MessageCount => Math.Max(0, MaxOffset - MinOffset);

    /// <summary>The queue offset of the next message to be appended; guarded by the log's append lock.</summary>
    internal long NextOffset { get; set; }

    internal ConsumeQueueStorage Storage { get; }

    internal TopicQueues TopicQueues => _topic;

    internal ReadOnlySpan<ConsumeQueueFile> Files => _files;

    /// <summary>What is kept beside the entries for filters.</summary>
    internal QueueAnswers Answers { get; }

    /// <summary>Waits in the list of queues to be flushed; guarded by the dispatch lock.</summary>
    internal bool IsDirty { get; set; }

    /// <summary>Directories were made that the next flush has to make durable; guarded by the dispatch lock.</summary>
    internal bool HasNewFiles { get; set; }

    /// <summary>Recovery has to fill it in again with the log's messages from here on; -1 for no.</summary>
    internal long RebuildFrom { get; set; } = -1;

    internal bool NeedsRebuild => RebuildFrom >= 0;

    internal string DirectoryPath =>
        Path.Combine(_topic.DirectoryPath, QueueId.ToString(CultureInfo.InvariantCulture));

    internal long TotalFileBytes => (long)_files.Length * Storage.FileBytes;

    public override string ToString() => $"{Topic}:{QueueId}";

    /// <summary>Do messages with this flag enter a queue? Half and rolled-back transactional messages do not.</summary>
    internal static bool Takes(int sysFlag) => MessageSysFlag.Transaction(sysFlag)
        is MessageSysFlag.TransactionNone or MessageSysFlag.TransactionCommit;

    /// <summary>Reads one entry; false outside of min and max offset. Throws IOException if it cannot be read just now.</summary>
    public bool TryGetEntry(long queueOffset, out ConsumeQueueEntry entry)
    {
        if (queueOffset >= MinOffset && queueOffset < MaxOffset)
        {
            return TryReadEntry(queueOffset, out entry);
        }

        entry = default;
        return false;
    }

    /// <summary>
    /// Keeps an answer beside an entry, for filters that read it there (<see cref="Reading.IMessageFilter.ReadsAnswersOf"/>); false when
    /// there is no room for it. To be called from within <see cref="Dispatching.IArrivalListener.OnArrived"/>, of the message that arrived.
    /// Throws IOException. It may be lost at any time, so nothing may depend on its being there.
    /// </summary>
    public bool TryKeepAnswer(long queueOffset, in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer) =>
        Answers.TryPut(queueOffset, entry, answer);

    /// <summary>Reads an entry of any file that there is, whether the log still has its message or not. Throws IOException.</summary>
    internal bool TryReadEntry(long queueOffset, out ConsumeQueueEntry entry)
    {
        entry = default;
        if (FindFile(queueOffset) is not { } file || !file.TryLease(out MappedFile? memory))
        {
            return false;
        }

        entry = ConsumeQueueEntry.Read(
            memory.Span((int)((queueOffset * ConsumeQueueEntry.Bytes) - file.BaseOffset), ConsumeQueueEntry.Bytes));
        memory.Release();
        file.Touch(Storage.NowMs);
        return true;
    }

    /// <summary>The file that holds an entry, or null.</summary>
    internal ConsumeQueueFile? FindFile(long queueOffset)
    {
        ConsumeQueueFile[] files = _files;
        if (files.Length == 0 || queueOffset < files[0].FirstEntry)
        {
            return null;
        }

        long index = (queueOffset - files[0].FirstEntry) / Storage.FileEntries;
        return index < files.Length ? files[index] : null;
    }

    internal string PathOf(long baseOffset) => Path.Combine(DirectoryPath, CommitLogFile.NameOf(baseOffset));

    /// <summary>
    /// Writes the entry of the message with this queue offset; false if the queue has it already. The dispatcher calls
    /// this in the order of the log. A gap (messages that the log has lost) is filled with blanks, so that offsets keep
    /// their meaning. Throws IOException, and InvalidDataException for an offset that cannot be: no CRC covers it.
    /// </summary>
    internal bool Put(long queueOffset, in ConsumeQueueEntry entry)
    {
        if (queueOffset > entry.PhysicalOffset / StoredMessageLayout.MinRecordBytes)
        {
            throw new InvalidDataException(
                $"The message at {entry.PhysicalOffset} says it is number {queueOffset} of queue {this}: so many were never stored before it.");
        }

        long end = _maxOffset;
        if (_files.Length > 0 && queueOffset < end && end == _files[0].FirstEntry)
        {
            // Recovery kept an empty file, but the log holds messages from before it.
            CutTo(0);
        }

        if (_files.Length == 0)
        {
            // The first entry there is: what the file would hold before it is filled up.
            long firstOfFile = queueOffset - (queueOffset % Storage.FileEntries);
            AddFile(firstOfFile);
            for (long blank = firstOfFile; blank < queueOffset; blank++)
            {
                WriteEntry(blank, ConsumeQueueEntry.Blank);
            }

            Volatile.Write(ref _minOffset, queueOffset);
        }
        else if (queueOffset < end)
        {
            return false;
        }
        else if (queueOffset > end)
        {
            FillGap(end, queueOffset, entry.PhysicalOffset);
        }

        WriteEntry(queueOffset, entry);
        Volatile.Write(ref _maxOffset, queueOffset + 1);
        return true;
    }

    /// <summary>Sets the files found on disk (contiguous, oldest first) and what of them counts.</summary>
    internal void Load(ConsumeQueueFile[] files, long maxOffset)
    {
        _files = files;
        _minOffset = files.Length == 0 ? 0 : files[0].FirstEntry;
        _maxOffset = files.Length == 0 ? 0 : maxOffset;
    }

    internal void SetMinOffset(long minOffset) => Volatile.Write(ref _minOffset, minOffset);

    /// <summary>
    /// Cuts the queue so that <paramref name="endOffset"/> becomes its end; guarded by the dispatch lock or recovery.
    /// Everything behind reads as zeros.
    /// </summary>
    internal void CutTo(long endOffset)
    {
        ConsumeQueueFile[] files = _files;
        int keep = files.Length;
        while (keep > 0 && files[keep - 1].FirstEntry >= endOffset)
        {
            keep--;
            files[keep].Retire();
            Storage.FileSystem.Delete(files[keep].Path);
        }

        if (keep > 0)
        {
            files[keep - 1].Cut((int)((endOffset * ConsumeQueueEntry.Bytes) - files[keep - 1].BaseOffset));
        }

        Load(files[..keep], endOffset);
    }

    /// <summary>Removes files whose messages are all gone from the log, and moves the min offset; under the dispatch lock. Throws IOException.</summary>
    internal int RemoveBefore(long minPhysicalOffset)
    {
        int removed = 0;
        ConsumeQueueFile[] files = _files;
        while (removed < files.Length - 1
            && TryReadEntry(files[removed].FirstEntry + Storage.FileEntries - 1, out ConsumeQueueEntry last)
            && last.PhysicalOffset < minPhysicalOffset)
        {
            removed++;
        }

        if (removed > 0)
        {
            _files = files[removed..];
            foreach (ConsumeQueueFile file in files.AsSpan(0, removed))
            {
                file.Retire();
                Storage.FileSystem.Delete(file.Path);
            }
        }

        CorrectMinOffset(minPhysicalOffset);
        if (removed > 0)
        {
            Answers.RemoveBefore(_files[0].FirstEntry);
        }

        return removed;
    }

    /// <summary>
    /// Moves the min offset to the first entry whose message the log still has. Throws IOException, and then has not moved it.
    /// </summary>
    internal void CorrectMinOffset(long minPhysicalOffset)
    {
        ConsumeQueueFile[] files = _files;
        if (files.Length == 0)
        {
            return;
        }

        long low = Math.Max(_minOffset, files[0].FirstEntry);
        long high = _maxOffset;

        // What was filled up before the first entry of the queue.
        while (low < high && TryReadEntry(low, out ConsumeQueueEntry filling) && filling.IsBlank)
        {
            low++;
        }

        if (low < high && !Stays(low))
        {
            // Entries point upwards through the log, so the first good one is found by halving: low is gone, high is not.
            while (high - low > 1)
            {
                long middle = low + ((high - low) / 2);
                long probe = middle;
                while (probe < high && TryReadEntry(probe, out ConsumeQueueEntry entry) && entry.IsBlank)
                {
                    // A message that was lost says nothing: the next one does.
                    probe++;
                }

                if (probe == high || Stays(probe))
                {
                    high = middle;
                }
                else
                {
                    low = probe;
                }
            }

            low = high;
        }

        Volatile.Write(ref _minOffset, low);

        bool Stays(long offset) =>
            TryReadEntry(offset, out ConsumeQueueEntry entry) && entry.PhysicalOffset >= minPhysicalOffset;
    }

    internal void UnmapIdle(long usedBeforeMs)
    {
        foreach (ConsumeQueueFile file in _files)
        {
            file.UnmapIfIdle(usedBeforeMs);
        }

        Answers.UnmapIdle(usedBeforeMs);
    }

    internal void Unmap()
    {
        foreach (ConsumeQueueFile file in _files)
        {
            file.Unmap();
        }

        Answers.Unmap();
    }

    /// <summary>The topic was deleted: nobody can read the queue any more.</summary>
    internal void Retire()
    {
        foreach (ConsumeQueueFile file in _files)
        {
            file.Retire();
        }

        Answers.Retire();
    }

    private void FillGap(long from, long to, long physicalOffset)
    {
        // As many messages as are missing must have had room in the log since the last one that is known.
        long knownEnd = from > 0 && TryReadEntry(from - 1, out ConsumeQueueEntry last) && !last.IsBlank ? last.EndOffset : 0;
        if ((physicalOffset - knownEnd) / StoredMessageLayout.MinRecordBytes < to - from)
        {
            throw new InvalidDataException(
                $"Queue {this} ends at {from}; the log holds a message for offset {to}, which is too far off to be true.");
        }

        Log.QueueGapFilled(Storage.Logger, Topic, QueueId, from, to);
        for (long blank = from; blank < to; blank++)
        {
            WriteEntry(blank, ConsumeQueueEntry.Blank);
        }
    }

    private void WriteEntry(long queueOffset, in ConsumeQueueEntry entry)
    {
        ConsumeQueueFile[] files = _files;
        ConsumeQueueFile last = files[^1];
        if (queueOffset >= last.FirstEntry + Storage.FileEntries)
        {
            last = AddFile(last.FirstEntry + Storage.FileEntries);
        }

        last.Write((int)((queueOffset * ConsumeQueueEntry.Bytes) - last.BaseOffset), entry);
    }

    private ConsumeQueueFile AddFile(long firstEntry)
    {
        if (_files.Length == 0)
        {
            Storage.FileSystem.CreateDirectory(DirectoryPath);
        }

        var file = new ConsumeQueueFile(this, firstEntry * ConsumeQueueEntry.Bytes);
        file.Create();
        file.Touch(Storage.NowMs);
        HasNewFiles = true;
        _files = [.. _files, file];
        return file;
    }
}
