namespace GrayMQ.Store.Files;

/// <summary>
/// A lock on the first byte of a file. It is given back before the file is closed: a process that is just being started elsewhere in
/// this one has the file open too, for a moment, and closing alone would leave the lock with it.
/// </summary>
internal sealed class LinuxFileLock(FileStream file) : IDisposable
{
    public unsafe void Dispose()
    {
        if (!file.SafeFileHandle.IsClosed)
        {
            var range = new Libc.FileLock { Type = Libc.NoLock, Length = 1 };
            _ = Libc.Control(file.SafeFileHandle, Libc.SetOpenFileLock, &range);
            file.Dispose();
        }
    }
}
