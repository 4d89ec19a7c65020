using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// The files of the commit log: which are there, which is next. Readers see an immutable table; files come at its end
/// and go at its beginning. A file that was lost in the middle leaves a hole, which reads as removed messages.
/// </summary>
internal sealed class CommitLogFiles(StoreOptions options, IStoreFileSystem fileSystem, ILogger logger) : IDisposable
{
    private readonly int _fileBytes = options.CommitLogFileBytes;

    // Files come under the append lock and go under the cleaner's: the table's own lock is what they share.
    private readonly Lock _tableLock = new();
    private volatile Table _table = new(0, []);

    // The file that comes next, being made in the background; guarded by the caller's append lock.
    private Task<CommitLogFile>? _next;
    private long _nextBase;

    public int FileBytes => _fileBytes;

    public bool IsEmpty => _table.Files.Length == 0;

    /// <summary>The offset of the first byte there is; 0 without files.</summary>
    public long MinOffset => _table.FirstBase;

    public CommitLogFile? First => _table.Files is [{ } first, ..] ? first : null;

    public CommitLogFile? Last => _table.Files is [.., { } last] ? last : null;

    /// <summary>Bytes that the files take.</summary>
    public long TotalBytes => (long)_table.Files.Length * _fileBytes;

    /// <summary>All files, oldest first; null where one is missing.</summary>
    public ReadOnlySpan<CommitLogFile?> All => _table.Files;

    /// <summary>The file that holds a physical offset, or null.</summary>
    public CommitLogFile? Find(long offset)
    {
        Table table = _table;
        long index = (offset - table.FirstBase) / _fileBytes;
        return offset >= table.FirstBase && index < table.Files.Length ? table.Files[index] : null;
    }

    /// <summary>Puts a file at the end; files that are missing in between become holes.</summary>
    public void Add(CommitLogFile file)
    {
        lock (_tableLock)
        {
            Table table = _table;
            if (table.Files.Length == 0)
            {
                _table = new Table(file.BaseOffset, [file]);
                return;
            }

            long index = (file.BaseOffset - table.FirstBase) / _fileBytes;
            var files = new CommitLogFile?[index + 1];
            table.Files.CopyTo(files, 0);
            files[index] = file;
            _table = new Table(table.FirstBase, files);
        }
    }

    /// <summary>Removes the oldest file (and a hole behind it) from the table and from the disk.</summary>
    public void RemoveFirst()
    {
        CommitLogFile removed;
        lock (_tableLock)
        {
            Table table = _table;
            int keep = 1;
            while (keep < table.Files.Length && table.Files[keep] is null)
            {
                keep++;
            }

            CommitLogFile?[] files = table.Files[keep..];
            _table = new Table(files.Length == 0 ? 0 : files[0]!.BaseOffset, files);
            removed = table.Files[0]!;
        }

        Drop(removed);
    }

    /// <summary>Removes the newest file from the table and from the disk.</summary>
    public void RemoveLast()
    {
        CommitLogFile removed;
        lock (_tableLock)
        {
            Table table = _table;
            int keep = table.Files.Length - 1;
            while (keep > 0 && table.Files[keep - 1] is null)
            {
                keep--;
            }

            _table = new Table(keep == 0 ? 0 : table.FirstBase, table.Files[..keep]);
            removed = table.Files[^1]!;
        }

        Drop(removed);
    }

    /// <summary>Begins to make the file at <paramref name="baseOffset"/>, unless that is under way.</summary>
    public void Prepare(long baseOffset)
    {
        if (_next is null || _nextBase != baseOffset)
        {
            BeginCreate(baseOffset);
        }
    }

    /// <summary>Adds the file at <paramref name="baseOffset"/>, waiting for it if it is still being made. Throws IOException.</summary>
    public CommitLogFile AddNext(long baseOffset)
    {
        if (_next is { IsFaulted: true })
        {
            // Prepared while there was no room; there may be some now.
            _next = null;
        }

        Prepare(baseOffset);
        Task<CommitLogFile> next = _next!;
        _next = null;
        CommitLogFile file = next.GetAwaiter().GetResult();
        Add(file);
        return file;
    }

    /// <summary>Reserves blocks from a position to the end of a file. Throws IOException.</summary>
    public void Reserve(CommitLogFile file, int position)
    {
        using IStoreFile open = Open(file);
        open.Allocate(position, _fileBytes - position);
    }

    /// <summary>A file of the log, to be written without its mapping. Throws IOException.</summary>
    public IStoreFile Open(CommitLogFile file) => fileSystem.Open(file.Path, create: false);

    public CommitLogFile Map(string path, long baseOffset, int foundLength)
    {
        using IStoreFile file = fileSystem.Open(path, create: false);
        return new CommitLogFile(path, baseOffset, new MappedFile(file.Map(_fileBytes, readAhead: true))) { FoundLength = foundLength };
    }

    public void Dispose()
    {
        if (_next is { } next)
        {
            _next = null;
            try
            {
                // Made, but never written to.
                Drop(next.GetAwaiter().GetResult());
            }
            catch (IOException)
            {
                // It could not be made either, which Create has cleaned up.
            }
        }

        Table table = _table;
        _table = new Table(0, []);
        foreach (CommitLogFile? file in table.Files)
        {
            file?.Memory.Release();
        }
    }

    // Apart from Prepare, which is called with every append and must not make a closure each time.
    private void BeginCreate(long baseOffset)
    {
        _nextBase = baseOffset;
        _next = Task.Run(() => Create(baseOffset));
    }

    private CommitLogFile Create(long baseOffset)
    {
        string path = Path.Combine(options.CommitLogPath, CommitLogFile.NameOf(baseOffset));
        try
        {
            using IStoreFile file = fileSystem.Open(path, create: true);
            if (file.Length > 0)
            {
                // Left over from a time when it could not be finished.
                file.SetLength(0);
            }

            file.Allocate(0, _fileBytes);
            file.Flush();
            var created = new CommitLogFile(path, baseOffset, new MappedFile(file.Map(_fileBytes, readAhead: true)));
            fileSystem.SyncDirectory(options.CommitLogPath);
            Log.CommitLogFileCreated(logger, path, _fileBytes);
            return created;
        }
        catch (IOException)
        {
            // Give back what could be had: others on this disk need it more.
            fileSystem.Delete(path);
            throw;
        }
    }

    private void Drop(CommitLogFile file)
    {
        fileSystem.Delete(file.Path);
        file.Memory.Release();
    }

    private sealed record Table(long FirstBase, CommitLogFile?[] Files);
}
