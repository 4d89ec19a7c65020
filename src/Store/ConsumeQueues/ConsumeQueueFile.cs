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

    private readonly OnDemandMapping _mapping = new(
        queue.Storage.FileSystem, queue.PathOf(baseOffset), queue.Storage.FileBytes, queue.Storage.MapLock);

    private int _reservedBytes;

    // Leased for as long as there is something to be flushed; guarded by the dispatch lock. To take a lease for each entry would cost more than to
    // write it.
    private MappedFile? _written;

    /// <summary>The byte offset of its first entry within the queue: its name.</summary>
    public long BaseOffset { get; } = baseOffset;

    public long FirstEntry => BaseOffset / ConsumeQueueEntry.Bytes;

    /// <summary>Bytes written but not flushed: from (inclusive) and to (exclusive); guarded by the dispatch lock.</summary>
    public int DirtyFrom { get; private set; } = int.MaxValue;

    public int DirtyTo { get; private set; }

    public LogicQueue Queue => queue;

    public bool IsMapped => _mapping.IsMapped;

    public string Path => _mapping.Path;

    /// <inheritdoc cref="OnDemandMapping.Lease"/>
    public MappedFile Lease() => _mapping.Lease();

    /// <inheritdoc cref="OnDemandMapping.TryLease"/>
    public bool TryLease([NotNullWhen(true)] out MappedFile? memory) => _mapping.TryLease(out memory);

    /// <summary>Writes an entry; the file has to be created before. Throws IOException. Dispatcher only.</summary>
    public void Write(int position, in ConsumeQueueEntry entry)
    {
        if (position + ConsumeQueueEntry.Bytes > _reservedBytes)
        {
            Reserve(position + ConsumeQueueEntry.Bytes);
        }

        MappedFile memory = _written ??= Lease();
        entry.WriteTo(memory.Span(position, ConsumeQueueEntry.Bytes));
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

        fileSystem.Move(queue.Storage.NewFilePath, Path);
    }

    /// <summary>Takes what is to be flushed and forgets it; guarded by the dispatch lock.</summary>
    public (int From, int To) TakeDirty()
    {
        (int, int) dirty = (DirtyFrom, DirtyTo);
        DirtyFrom = int.MaxValue;
        DirtyTo = 0;
        ReleaseWritten();
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
            memory.FlushWritten(from, to - from);
        }
        finally
        {
            memory.Release();
        }
    }

    /// <inheritdoc cref="OnDemandMapping.Touch"/>
    public void Touch(long nowMs) => _mapping.Touch(nowMs);

    /// <inheritdoc cref="OnDemandMapping.UnmapIfIdle"/>
    public void UnmapIfIdle(long usedBeforeMs) => _mapping.UnmapIfIdle(usedBeforeMs);

    /// <inheritdoc cref="OnDemandMapping.Unmap"/>
    /// <remarks>Guarded by the dispatch lock, or nobody writes.</remarks>
    public void Unmap()
    {
        ReleaseWritten();
        _mapping.Unmap();
    }

    /// <inheritdoc cref="OnDemandMapping.Retire"/>
    /// <inheritdoc cref="Unmap" path="/remarks"/>
    public void Retire()
    {
        ReleaseWritten();
        _mapping.Retire();
    }

    /// <summary>Cuts off everything from a position on; what follows reads as zeros, in the file's full length.</summary>
    public void Cut(int position)
    {
        Unmap();
        using IStoreFile file = queue.Storage.FileSystem.Open(Path, create: false);
        file.SetLength(position);
        file.SetLength(queue.Storage.FileBytes);
        _reservedBytes = 0;
    }

    private void ReleaseWritten()
    {
        _written?.Release();
        _written = null;
    }

    private void Reserve(int neededBytes)
    {
        int piece = Math.Clamp(_reservedBytes, MinReserveBytes, MaxReserveBytes);
        int end = Math.Min(Math.Max(neededBytes, _reservedBytes + piece), queue.Storage.FileBytes);
        using IStoreFile file = queue.Storage.FileSystem.Open(Path, create: false);
        int from = Math.Max(_reservedBytes, (neededBytes - ConsumeQueueEntry.Bytes) & ~(MinReserveBytes - 1));
        if (_reservedBytes == 0)
        {
            end = Math.Min(Math.Max(end, from + MinReserveBytes), queue.Storage.FileBytes);
        }

        file.Allocate(from, end - from);
        _reservedBytes = end;
    }
}
