using GrayMQ.Store.Files;

namespace GrayMQ.Broker.Serving;

/// <summary>The real disk, which can run out of space, fail, and stop to make anything durable.</summary>
internal sealed class ScarceDisk : IStoreFileSystem, IDisposable
{
    private readonly LinuxFileSystem _real = new();
    private readonly ManualResetEventSlim _flushes = new(true);
    private readonly ManualResetEventSlim _opens = new(true);
    private long _usedPercent = 10;
    private int _brokenWrites;

    /// <summary>Whether no file gets any more space.</summary>
    public bool IsFull { get; set; }

    /// <summary>Whether nothing can be written to the commit log.</summary>
    public bool IsBroken { get; set; }

    /// <summary>How often that was tried.</summary>
    public int BrokenWrites => Volatile.Read(ref _brokenWrites);

    /// <summary>What the disk says of itself.</summary>
    public long UsedPercent
    {
        get => Volatile.Read(ref _usedPercent);
        set => Volatile.Write(ref _usedPercent, value);
    }

    public void HangFlushes() => _flushes.Reset();

    public void ResumeFlushes() => _flushes.Set();

    public void HangOpens() => _opens.Reset();

    public void ResumeOpens() => _opens.Set();

    public bool FileExists(string path) => _real.FileExists(path);

    public bool DirectoryExists(string path) => _real.DirectoryExists(path);

    public void CreateDirectory(string path) => _real.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => _real.ListFiles(directory);

    public IReadOnlyList<string> ListDirectories(string directory) => _real.ListDirectories(directory);

    public long FileLength(string path) => _real.FileLength(path);

    public void Delete(string path) => _real.Delete(path);

    public void DeleteDirectory(string path) => _real.DeleteDirectory(path);

    public void Move(string source, string destination) => _real.Move(source, destination);

    public void SyncDirectory(string path) => _real.SyncDirectory(path);

    public void SyncAll(string path) => _real.SyncAll(path);

    public DiskSpace GetSpace(string path) => new(100, 100 - UsedPercent, 100 - UsedPercent);

    public IDisposable Lock(string path) => _real.Lock(path);

    public IStoreFile Open(string path, bool create)
    {
        _opens.Wait();
        return new ScarceFile(this, path, _real.Open(path, create));
    }

    public void Dispose()
    {
        _flushes.Dispose();
        _opens.Dispose();
    }

    private sealed class ScarceFile(ScarceDisk disk, string path, IStoreFile real) : IStoreFile
    {
        public long Length => real.Length;

        public void Allocate(long offset, long length)
        {
            RefuseWhenFull();
            real.Allocate(offset, length);
        }

        public void ClearRange(long offset, long length)
        {
            RefuseWhenFull();
            real.ClearRange(offset, length);
        }

        public void SetLength(long length) => real.SetLength(length);

        public int Read(long offset, Span<byte> destination) => real.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            if (disk.IsBroken && path.Contains("/commitlog/", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref disk._brokenWrites);
                throw new IOException("Input/output error");
            }

            real.Write(offset, source);
        }

        public void Flush() => real.Flush();

        public IMappedRegion Map(long length, bool readAhead) => new ScarceRegion(disk, real.Map(length, readAhead));

        public void Dispose() => real.Dispose();

        private void RefuseWhenFull()
        {
            if (disk.IsFull)
            {
                throw new NoSpaceException("No space left on device");
            }
        }
    }

    private sealed class ScarceRegion(ScarceDisk disk, IMappedRegion real) : IMappedRegion
    {
        public nint Address => real.Address;

        public long Length => real.Length;

        public void LetGo(long offset, long length) => real.LetGo(offset, length);

        public void Flush(long offset, long length)
        {
            disk._flushes.Wait();
            real.Flush(offset, length);
        }

        public void Dispose() => real.Dispose();
    }
}
