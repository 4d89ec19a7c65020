using GrayMQ.Store.Files;

namespace GrayMQ.Store;

/// <summary>
/// Holds a store directory for one process, from before anything in it is opened until all of it is closed: the first byte of its file
/// <c>lock</c>, which RocketMQ locks too.
/// </summary>
public sealed class StoreLock : IDisposable
{
    private readonly IDisposable _file;

    private StoreLock(IDisposable file) => _file = file;

    /// <summary>Makes the directory if need be and takes its lock. Throws <see cref="IOException"/> if another process has it.</summary>
    public static StoreLock Take(string rootDirectory, IStoreFileSystem files)
    {
        files.CreateDirectory(rootDirectory);
        return new StoreLock(files.Lock(Path.Combine(rootDirectory, "lock")));
    }

    public void Dispose() => _file.Dispose();
}
