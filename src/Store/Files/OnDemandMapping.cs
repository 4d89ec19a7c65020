using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Store.Files;

/// <summary>
/// The memory of a file that is mapped when somebody looks, and unmapped when nobody has for a while: there can be more such files than
/// a process may have mapped.
/// </summary>
/// <param name="mapLock">Guards mapping and unmapping: rare, so one lock does for many files.</param>
internal sealed class OnDemandMapping(IStoreFileSystem fileSystem, string path, int length, Lock mapLock)
{
    private MappedFile? _memory;
    private long _lastUsedMs;
    private bool _retired;

    public string Path => path;

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
        lock (mapLock)
        {
            MappedFile? memory = _memory;
            Volatile.Write(ref _memory, null);
            memory?.Release();
        }
    }

    /// <summary>Unmaps the file for good, before it is deleted: whoever still knows it gets an exception.</summary>
    public void Retire()
    {
        lock (mapLock)
        {
            _retired = true;
        }

        Unmap();
    }

    private MappedFile MapAndLease()
    {
        lock (mapLock)
        {
            if (_memory is { } other && other.TryLease())
            {
                return other;
            }

            if (_retired)
            {
                throw new FileNotFoundException($"{path} was removed.");
            }

            using IStoreFile file = fileSystem.Open(path, create: false);
            if (file.Length < length)
            {
                throw new IOException($"{path} is shorter than {length} bytes.");
            }

            var memory = new MappedFile(file.Map(length, readAhead: false));
            memory.TryLease();
            Volatile.Write(ref _memory, memory);
            return memory;
        }
    }
}
