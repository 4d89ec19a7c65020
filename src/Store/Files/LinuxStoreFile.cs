using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.Files;

internal sealed class LinuxStoreFile(string path, bool create) : IStoreFile
{
    private readonly SafeFileHandle _handle = File.OpenHandle(
        path,
        create ? FileMode.OpenOrCreate : FileMode.Open,
        FileAccess.ReadWrite,
        FileShare.ReadWrite | FileShare.Delete);

    public long Length => RandomAccess.GetLength(_handle);

    public void Allocate(long offset, long length)
    {
        int error;
        do
        {
            error = Libc.Allocate(_handle, offset, length);
        }
        while (error == Libc.ErrorInterrupted);

        if (error != 0)
        {
            throw LinuxFileSystem.Failure("posix_fallocate", path, error);
        }
    }

    public void ClearRange(long offset, long length)
    {
        if (length == 0 || Libc.ChangeSpace(_handle, Libc.ZeroRange, offset, length) == 0)
        {
            return;
        }

        int error = Marshal.GetLastPInvokeError();
        if (error != Libc.ErrorNotSupported)
        {
            throw LinuxFileSystem.Failure("fallocate", path, error);
        }

        // Not every file system can; cutting and growing again comes to the same.
        long end = offset + length;
        SetLength(offset);
        Allocate(offset, end - offset);
    }

    public void SetLength(long length) => RandomAccess.SetLength(_handle, length);

    public int Read(long offset, Span<byte> destination)
    {
        int total = 0;
        while (total < destination.Length)
        {
            int read = RandomAccess.Read(_handle, destination[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    public void Write(long offset, ReadOnlySpan<byte> source) => RandomAccess.Write(_handle, source, offset);

    public void Flush()
    {
        try
        {
            RandomAccess.FlushToDisk(_handle);
        }
        catch (IOException e)
        {
            throw new FlushFailedException($"fsync {path}: {e.Message}", e);
        }
    }

    public IMappedRegion Map(long length, bool readAhead)
    {
        nint address = Libc.Map(
            0, (nuint)length, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapShared, _handle, 0);
        if (address == -1)
        {
            throw LinuxFileSystem.Failure("mmap", path, Marshal.GetLastPInvokeError());
        }

        if (!readAhead)
        {
            // Advice: nothing is lost if it is not taken.
            _ = Libc.Advise(address, (nuint)length, Libc.AdviseRandom);
        }

        return new LinuxMappedRegion(address, length, path);
    }

    public void Dispose() => _handle.Dispose();
}

internal sealed class LinuxMappedRegion(nint address, long length, string path) : IMappedRegion
{
    private static readonly long PageMask = Environment.SystemPageSize - 1;

    // Earlier kernels may take a page for clean that another thread writes to at the same moment.
    private static readonly bool MayLetGo = Environment.OSVersion.Version >= new Version(6, 2);

    private bool _disposed;

    public nint Address { get; } = address;

    public long Length { get; } = length;

    // The pages stay in memory and as dirty as they are, only this process sees them no more until it looks again. The kernel takes that away from
    // all of them at once; to flush pages that are written to and still seen, it stops the other processors for each.
    public void LetGo(long offset, long length)
    {
        if (MayLetGo)
        {
            long start = offset & ~PageMask;
            _ = Libc.Advise(Address + (nint)start, (nuint)(offset + length - start), Libc.AdviseDontNeed);
        }
    }

    public void Flush(long offset, long length)
    {
        long start = offset & ~PageMask;
        if (Libc.SyncMemory(Address + (nint)start, (nuint)(offset + length - start), Libc.MemorySyncSync) != 0)
        {
            throw LinuxFileSystem.FlushFailure("msync", path, Marshal.GetLastPInvokeError());
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _ = Libc.Unmap(Address, (nuint)Length);
        }
    }
}
