using System.Diagnostics.CodeAnalysis;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>
/// One file of a consume queue. It is sparse, as RocketMQ makes it: blocks are reserved a piece at a time before entries
/// are written, so that a full disk is an exception and not a signal. Mapped when somebody looks, unmapped when idle.
/// </summary>
internal sealed class ConsumeQueueFile(LogicQueue queue, long baseOffset)
{
    private const int MinReserveBytes = 4 * 1024;
    private const int MaxReserveBytes = 256 * 1024;

    private MappedFile? _memory;
    private int _reservedBytes;
    private long _lastUsedMs;
    private bool _retired;

    /// <summary>The byte offset of its first entry within the queue: its name.</summary>
    public long BaseOffset { get; } = baseOffset;

    public long FirstEntry => BaseOffset / ConsumeQueueEntry.Bytes;

    /// <summary>Bytes written but not flushed: from (inclusive) and to (exclusive); guarded by the dispatch lock.</summary>
    public int DirtyFrom { get; private set; } = int.MaxValue;

    public int DirtyTo { get; private set; }

    public LogicQueue Queue => queue;

    public bool IsMapped => Volatile.Read(ref _memory) is { IsUnmapped: false };

    /// <summary>A lease on the mapped file, to be released by the caller; maps it if it is not. Throws IOException.</summary>
    public MappedFile Lease()
    {
        MappedFile? memory = Volatile.Read(ref _memory);
        return memory is not null && memory.TryLease() ? memory : MapAndLease();
    }

    /// <summary>
    /// As <see cref="Lease"/>; false if the file was removed, or is missing on the disk. Any other failure (no descriptors, no
    /// memory) passes, says nothing of the file, and is an IOException.
    /// </summary>
    public bool TryLease([NotNullWhen(true)] out MappedFile? memory)
    {
        try
        {
            memory = Lease();
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            memory = null;
            return false;
        }
    }

    /// <summary>Writes an entry; the file has to be created before. Throws IOException. Dispatcher only.</summary>
    public void Write(int position, in ConsumeQueueEntry entry)
    {
        if (position + ConsumeQueueEntry.Bytes > _reservedBytes)
        {
            Reserve(position + ConsumeQueueEntry.Bytes);
        }

        MappedFile memory = Lease();
        entry.WriteTo(memory.Span(position, ConsumeQueueEntry.Bytes));
        memory.Release();
        if (DirtyTo == 0)
        {
            Touch(queue.Storage.NowMs);
        }

        DirtyFrom = Math.Min(DirtyFrom, position);
        DirtyTo = Math.Max(DirtyTo, position + ConsumeQueueEntry.Bytes);
    }

    /// <summary>
    /// Makes the file at its full length, with no blocks reserved yet. It is made elsewhere and moved into its place, so
    /// that a shorter file in a queue is always damage.
    /// </summary>
    public void Create()
    {
        IStoreFileSystem fileSystem = queue.Storage.FileSystem;
        using (IStoreFile file = fileSystem.Open(queue.Storage.NewFilePath, create: true))
        {
            file.SetLength(0);
            file.SetLength(queue.Storage.FileBytes);
        }

        fileSystem.Move(queue.Storage.NewFilePath, queue.PathOf(this));
    }

    /// <summary>Takes what is to be flushed and forgets it; guarded by the dispatch lock.</summary>
    public (int From, int To) TakeDirty()
    {
        (int, int) dirty = (DirtyFrom, DirtyTo);
        DirtyFrom = int.MaxValue;
        DirtyTo = 0;
        return dirty;
    }

    /// <summary>Puts back what was taken and could not be flushed; guarded by the dispatch lock.</summary>
    public void PutBackDirty(int from, int to)
    {
        DirtyFrom = Math.Min(DirtyFrom, from);
        DirtyTo = Math.Max(DirtyTo, to);
    }

    public void Flush(int from, int to)
    {
        MappedFile memory = Lease();
        try
        {
            memory.Flush(from, to - from);
        }
        finally
        {
            memory.Release();
        }
    }

    /// <summary>Remembers that it was used; a read touches it once, not for every entry.</summary>
    public void Touch(long nowMs) => Volatile.Write(ref _lastUsedMs, nowMs);

    /// <summary>Unmaps the file if nobody touched it since; whoever reads just now keeps the memory for so long.</summary>
    public void UnmapIfIdle(long usedBeforeMs)
    {
        if (Volatile.Read(ref _lastUsedMs) < usedBeforeMs)
        {
            Unmap();
        }
    }

    public void Unmap()
    {
        lock (queue.Storage.MapLock)
        {
            MappedFile? memory = _memory;
            Volatile.Write(ref _memory, null);
            memory?.Release();
        }
    }

    /// <summary>Unmaps the file for good, before it is deleted: whoever still knows it gets an exception.</summary>
    public void Retire()
    {
        lock (queue.Storage.MapLock)
        {
            _retired = true;
        }

        Unmap();
    }

    /// <summary>Cuts off everything from a position on; what follows reads as zeros, in the file's full length.</summary>
    public void Cut(int position)
    {
        Unmap();
        using IStoreFile file = queue.Storage.FileSystem.Open(queue.PathOf(this), create: false);
        file.SetLength(position);
        file.SetLength(queue.Storage.FileBytes);
        _reservedBytes = 0;
    }

    private MappedFile MapAndLease()
    {
        lock (queue.Storage.MapLock)
        {
            if (_memory is { } other && other.TryLease())
            {
                return other;
            }

            if (_retired)
            {
                throw new FileNotFoundException($"{queue.PathOf(this)} was removed.");
            }

            using IStoreFile file = queue.Storage.FileSystem.Open(queue.PathOf(this), create: false);
            if (file.Length < queue.Storage.FileBytes)
            {
                throw new IOException($"{queue.PathOf(this)} is shorter than {queue.Storage.FileBytes} bytes.");
            }

            var memory = new MappedFile(file.Map(queue.Storage.FileBytes, readAhead: false));
            memory.TryLease();
            Volatile.Write(ref _memory, memory);
            return memory;
        }
    }

    private void Reserve(int neededBytes)
    {
        int piece = Math.Clamp(_reservedBytes, MinReserveBytes, MaxReserveBytes);
        int end = Math.Min(Math.Max(neededBytes, _reservedBytes + piece), queue.Storage.FileBytes);
        using IStoreFile file = queue.Storage.FileSystem.Open(queue.PathOf(this), create: false);
        int from = Math.Max(_reservedBytes, (neededBytes - ConsumeQueueEntry.Bytes) & ~(MinReserveBytes - 1));
        if (_reservedBytes == 0)
        {
            end = Math.Min(Math.Max(end, from + MinReserveBytes), queue.Storage.FileBytes);
        }

        file.Allocate(from, end - from);
        _reservedBytes = end;
    }
}
