using System.Runtime.InteropServices;

namespace GrayMQ.Store.Files;

/// <summary>The system calls that .NET has no door to; numbers are those of 64-bit Linux (x86-64 and arm64).</summary>
internal static unsafe partial class Libc
{
    public const int ErrorInterrupted = 4;
    public const int ErrorNoSpace = 28;
    public const int ErrorNotSupported = 95;
    public const int ErrorQuota = 122;

    public const int OpenReadOnly = 0;
    public const int OpenDirectory = 0x10000;
    public const int OpenDirectoryArm64 = 0x4000;
    public const int OpenCloseOnExec = 0x80000;

    public const int ZeroRange = 0x10;

    public const int ProtectRead = 1;
    public const int ProtectWrite = 2;
    public const int MapShared = 1;
    public const int MemorySyncSync = 4;
    public const int AdviseRandom = 1;
    public const int AdviseDontNeed = 4;

    /// <summary>Locks of the open file description: they keep out other processes' POSIX locks, and other descriptors.</summary>
    public const int SetOpenFileLock = 37;
    public const short WriteLock = 1;
    public const short NoLock = 2;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int SyncFile(int descriptor);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(int descriptor);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    public static partial int ChangeSpace(SafeHandle file, int mode, long offset, long length);

    /// <summary>Returns the error number itself.</summary>
    [LibraryImport(Library, EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeHandle file, long offset, long length);

    [LibraryImport(Library, EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, SafeHandle file, long offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport(Library, EntryPoint = "msync", SetLastError = true)]
    public static partial int SyncMemory(nint address, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeHandle file, int command, FileLock* fileLock);

    /// <summary>struct flock.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int ProcessId;
    }
}
