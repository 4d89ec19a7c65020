namespace GrayMQ.Store.Files;

/// <summary>
/// The one seam through which the store touches files, so that tests can fill the disk, fail a flush or lose what was
/// not flushed. Failures are <see cref="IOException"/>s; no space left is a <see cref="NoSpaceException"/>.
/// </summary>
public interface IStoreFileSystem
{
    bool FileExists(string path);

    bool DirectoryExists(string path);

    void CreateDirectory(string path);

    /// <summary>Names (not paths) of the files in a directory, sorted by code units; none if there is no such directory.</summary>
    IReadOnlyList<string> ListFiles(string directory);

    /// <summary>Names (not paths) of the directories in a directory; none if there is no such directory.</summary>
    IReadOnlyList<string> ListDirectories(string directory);

    long FileLength(string path);

    /// <summary>Removes a file; mappings of it stay readable until they are disposed. No error if it is not there.</summary>
    void Delete(string path);

    /// <summary>Removes a directory with all that is in it. No error if it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Renames a file (replacing another) or a directory.</summary>
    void Move(string source, string destination);

    /// <summary>Makes the creation, renaming and removal of files in a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Makes everything durable that was written to the file system that holds a path: dear, but once for all files.</summary>
    void SyncAll(string path);

    DiskSpace GetSpace(string path);

    /// <summary>Takes the lock that keeps two brokers (RocketMQ's included) out of one store; throws if it is held.</summary>
    IDisposable Lock(string path);

    /// <summary>Opens a file for reading and writing, creating it if asked to.</summary>
    IStoreFile Open(string path, bool create);
}

/// <summary>Space of the file system that holds a path, in bytes; usable is what an unprivileged process may take.</summary>
public readonly record struct DiskSpace(long TotalBytes, long FreeBytes, long UsableBytes)
{
    /// <summary>Used share, 0 to 1, counted as RocketMQ (and df) do: used / (used + usable).</summary>
    public double UsedRatio
    {
        get
        {
            long used = TotalBytes - FreeBytes;
            long entire = used + UsableBytes;
            return entire <= 0 ? 0 : (double)used / entire;
        }
    }
}
