using System.Globalization;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Indexes;

/// <summary>
/// The index from (topic, key) to messages: a row of <see cref="IndexFile"/>s. The dispatcher writes (under its lock), any
/// thread asks. Keys are the words of the KEYS property and the UNIQ_KEY (RocketMQ: IndexService).
/// </summary>
internal sealed class KeyIndex(StoreOptions options, IStoreFileSystem fileSystem, TimeProvider time, ILogger logger)
    : IDisposable
{
    private const string NameFormat = "yyyyMMddHHmmssfff";
    private const int ReserveBytes = 1024 * 1024;

    private volatile IndexFile[] _files = [];
    private int _reservedTo;
    private int _dirtyFrom = int.MaxValue;

    public ReadOnlySpan<IndexFile> Files => _files;

    public IndexFile? Last => _files is [.., { } last] ? last : null;

    public long TotalBytes => _files.Length * options.IndexFileBytes;

    /// <summary>The end timestamp of the last file that is full and flushed: what RocketMQ's check point names.</summary>
    public long FlushedFullTimestampMs { get; private set; }

    public static bool IsName(string name) =>
        name.Length == NameFormat.Length && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>
    /// Adds all keys of a message; one that is there already is passed over. Throws IOException, and then has added none: the
    /// message can be put again.
    /// </summary>
    /// <param name="properties">Of the message.</param>
    public void Put(TopicQueues topic, in StoredMessage message, in IndexedProperties properties)
    {
        if (properties.UniqueKey.IsEmpty && properties.Keys.IsEmpty)
        {
            return;
        }

        long offset = message.PhysicalOffset;
        if (Last is { Count: > 1 } last && offset <= last.EndOffset)
        {
            return;
        }

        IndexFile? first = Last;
        (int count, long endOffset, long endTimestampMs) =
            first is null ? (1, 0, 0) : (first.Count, first.EndOffset, first.EndTimestampMs);
        try
        {
            PutKeys(topic, properties.UniqueKey, properties.Keys, offset, message.StoreTimestampMs);
        }
        catch (IOException)
        {
            TakeBack(first, count, endOffset, endTimestampMs);
            throw;
        }
    }

    /// <summary>Physical offsets of messages that may have the key (hashes can collide), newest file first.</summary>
    public void Select(int javaHash, int maxCount, long beginMs, long endMs, List<long> offsets)
    {
        int keyHash = IndexFile.KeyHash(javaHash);
        IndexFile[] files = _files;
        for (int i = files.Length - 1; i >= 0 && offsets.Count < maxCount; i--)
        {
            IndexFile file = files[i];
            if (!file.Memory.TryLease())
            {
                continue;
            }

            try
            {
                if (file.Overlaps(beginMs, endMs))
                {
                    file.Select(keyHash, maxCount, beginMs, endMs, offsets);
                }

                if (file.BeginTimestampMs < beginMs)
                {
                    break;
                }
            }
            finally
            {
                file.Memory.Release();
            }
        }
    }

    /// <summary>Where the last file stands, for the check point; under the dispatch lock.</summary>
    public IndexPosition Position() =>
        Last is { } last
            ? new IndexPosition(long.Parse(last.Name, CultureInfo.InvariantCulture), last.Count)
            : default;

    /// <summary>Takes what is to be flushed and forgets it; under the dispatch lock.</summary>
    public IndexDirt TakeDirt()
    {
        var dirt = new IndexDirt(_dirtyFrom == int.MaxValue ? null : Last, _dirtyFrom, _reservedTo);
        _dirtyFrom = int.MaxValue;
        return dirt;
    }

    /// <summary>Puts back what was taken and could not be flushed; under the dispatch lock. A file that is full by now was flushed.</summary>
    public void PutBack(in IndexDirt dirt)
    {
        if (dirt.File is not null && dirt.File == Last)
        {
            _dirtyFrom = Math.Min(_dirtyFrom, dirt.From);
        }
    }

    /// <summary>Flushes what <see cref="TakeDirt"/> has named. Throws IOException.</summary>
    public static void Flush(in IndexDirt dirt)
    {
        if (dirt.File is { } file && file.Memory.TryLease())
        {
            try
            {
                file.Memory.FlushWritten(0, file.HeadBytes);
                file.Memory.FlushWritten(dirt.From, Math.Max(dirt.To, dirt.From + 1) - dirt.From);
            }
            finally
            {
                file.Memory.Release();
            }
        }
    }

    public void Add(IndexFile file)
    {
        _files = [.. _files, file];
        _reservedTo = 0;
    }

    /// <summary>Takes the newest file out of the row, without deleting it.</summary>
    public void RemoveLast()
    {
        IndexFile[] files = _files;
        _files = files[..^1];
        _reservedTo = 0;
        files[^1].Memory.Release();
    }

    /// <summary>Removes files whose messages are all gone; the last one stays (RocketMQ: IndexService.deleteExpiredFile).</summary>
    public int RemoveBefore(long minPhysicalOffset)
    {
        IndexFile[] files = _files;
        int removed = 0;
        while (removed < files.Length - 1 && files[removed].EndOffset < minPhysicalOffset)
        {
            removed++;
        }

        _files = files[removed..];
        foreach (IndexFile file in files.AsSpan(0, removed))
        {
            fileSystem.Delete(file.Path);
            file.Memory.Release();
        }

        return removed;
    }

    /// <summary>Maps a file that is on disk; throws IOException if it has not the size that the settings say.</summary>
    public IndexFile Map(string path)
    {
        using IStoreFile file = fileSystem.Open(path, create: false);
        return file.Length != options.IndexFileBytes
            ? throw new IOException(
                $"{path} has {file.Length} bytes; maxHashSlotNum and maxIndexNum make {options.IndexFileBytes}.")
            : new IndexFile(options, path, Map(file));
    }

    public void Dispose()
    {
        foreach (IndexFile file in _files)
        {
            file.Memory.Release();
        }

        _files = [];
    }

    // Without reading ahead the kernel does not see that slots are used again and again, and drops those that were let go of when memory is full: the next
    // message would wait for the disk, and with it whoever needs the dispatch lock.
    private MappedFile Map(IStoreFile file) => new(file.Map(options.IndexFileBytes, readAhead: true));

    private void PutKeys(
        TopicQueues topic, ReadOnlySpan<byte> uniqueKey, ReadOnlySpan<byte> keys, long offset, long timestampMs)
    {
        if (!uniqueKey.IsEmpty)
        {
            PutKey(topic, uniqueKey, offset, timestampMs);
        }

        while (!keys.IsEmpty)
        {
            int space = keys.IndexOf((byte)MessageProperty.KeySeparator);
            ReadOnlySpan<byte> key = space < 0 ? keys : keys[..space];
            keys = space < 0 ? default : keys[(space + 1)..];
            if (!key.IsEmpty)
            {
                PutKey(topic, key, offset, timestampMs);
            }
        }
    }

    // The files that were begun since stay, empty: the next message begins them.
    private void TakeBack(IndexFile? first, int count, long endOffset, long endTimestampMs)
    {
        IndexFile[] files = _files;
        for (int i = files.Length - 1; i >= 0 && files[i] != first; i--)
        {
            files[i].TakeBack(1, endOffset, endTimestampMs);
        }

        first?.TakeBack(count, endOffset, endTimestampMs);
    }

    private void PutKey(TopicQueues topic, ReadOnlySpan<byte> key, long offset, long timestampMs)
    {
        IndexFile file = Last is { IsFull: false } last ? last : Create();
        int number = file.Count;
        int position = file.EntryPosition(number);
        if (position + IndexFile.EntryBytes > _reservedTo)
        {
            Reserve(file, position);
        }

        file.Put(IndexFile.KeyHash(JavaStringHash.Append(topic.IndexHashPrefix, key)), offset, timestampMs);
        _dirtyFrom = Math.Min(_dirtyFrom, position);
    }

    private IndexFile Create()
    {
        IndexFile? previous = Last;
        if (previous is not null)
        {
            // Full: it is made durable here, once, because only the last file is looked after by the check point.
            previous.Memory.FlushWritten(0, previous.Memory.Length);
            FlushedFullTimestampMs = previous.EndTimestampMs;
        }

        fileSystem.CreateDirectory(options.IndexPath);
        string path = Path.Combine(options.IndexPath, NextName(previous?.Name));
        IndexFile created;
        try
        {
            using IStoreFile file = fileSystem.Open(path, create: true);
            file.SetLength(options.IndexFileBytes);

            // The slots are written in any order, so all of them are reserved; entries piece by piece.
            file.Allocate(0, IndexFile.HeaderBytes + (options.MaxHashSlots * IndexFile.SlotBytes));
            created = new IndexFile(options, path, Map(file));
        }
        catch (IOException)
        {
            fileSystem.Delete(path);
            throw;
        }

        created.Begin(previous?.EndOffset ?? 0, previous?.EndTimestampMs ?? 0);
        fileSystem.SyncDirectory(options.IndexPath);
        Add(created);
        _dirtyFrom = int.MaxValue;
        Log.IndexFileCreated(logger, path);
        return created;
    }

    private void Reserve(IndexFile indexFile, int position)
    {
        using IStoreFile file = fileSystem.Open(indexFile.Path, create: false);
        int end = (int)Math.Min((long)position + ReserveBytes, options.IndexFileBytes);
        file.Allocate(position, end - position);
        _reservedTo = end;
    }

    private string NextName(string? previous)
    {
        DateTimeOffset now = time.GetLocalNow();
        string name = now.ToString(NameFormat, CultureInfo.InvariantCulture);
        while (string.CompareOrdinal(name, previous) <= 0 || fileSystem.FileExists(Path.Combine(options.IndexPath, name)))
        {
            // The clock went back, or stands: names have to ascend, for files are ordered by them.
            now = previous is not null && string.CompareOrdinal(name, previous) <= 0
                ? DateTimeOffset.ParseExact(previous, NameFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).AddMilliseconds(1)
                : now.AddMilliseconds(1);
            name = now.ToString(NameFormat, CultureInfo.InvariantCulture);
            previous = null;
        }

        return name;
    }
}

/// <summary>A place in the index: the name of the last file as a number, and its count. Zero for no file.</summary>
internal readonly record struct IndexPosition(long FileName, int Count);

/// <summary>What of the last index file was written since the last flush: head and slots, and a range of entries.</summary>
internal readonly record struct IndexDirt(IndexFile? File, int From, int To);
