using System.Collections.Concurrent;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.Tests.Support;

/// <summary>
/// The real file system with faults: no space, failing or hanging flushes, and power failures, after which a file has, page
/// by page, either what was flushed last or what was written since.
/// </summary>
public sealed class FaultyFileSystem : IStoreFileSystem
{
    private const int PageBytes = 4096;

    private readonly LinuxFileSystem _real = LinuxFileSystem.Instance;
    private readonly ConcurrentDictionary<string, byte[]> _durable = new();
    private readonly ConcurrentDictionary<string, bool> _durableNames = new();
    private readonly ConcurrentDictionary<string, bool> _mapped = new();
    private readonly Lock _lock = new();
    private volatile bool _frozen;
    private int _flushes;

    /// <summary>Tells whether a file may get space; all may by default.</summary>
    public Func<string, bool> MayAllocate { get; set; } = _ => true;

    /// <summary>Tells whether a file can be written to by a call; what was mapped is written without being asked for.</summary>
    public Func<string, bool> MayWrite { get; set; } = _ => true;

    /// <summary>Called when a file was written to.</summary>
    public Action<string> Written { get; set; } = _ => { };

    /// <summary>Called when a part of a mapped file is let go of.</summary>
    public Action<string> LeftGo { get; set; } = _ => { };

    /// <summary>Tells whether a file's flush succeeds.</summary>
    public Func<string, bool> MayFlush { get; set; } = _ => true;

    /// <summary>Tells whether a file can be opened; if not, it is as if there were too many open.</summary>
    public Func<string, bool> MayOpen { get; set; } = _ => true;

    /// <summary>Tells whether a file or directory can be renamed, by where it is.</summary>
    public Func<string, bool> MayMove { get; set; } = _ => true;

    /// <summary>Tells whether a directory can be deleted.</summary>
    public Func<string, bool> MayDeleteDirectory { get; set; } = _ => true;

    /// <summary>Flushes wait while it is not set.</summary>
    public ManualResetEventSlim FlushGate { get; } = new(true);

    public Func<string, DiskSpace>? Space { get; set; }

    public int Flushes => Volatile.Read(ref _flushes);

    public bool FileExists(string path) => _real.FileExists(path);

    public bool DirectoryExists(string path) => _real.DirectoryExists(path);

    public void CreateDirectory(string path) => _real.CreateDirectory(path);

    public IReadOnlyList<string> ListFiles(string directory) => _real.ListFiles(directory);

    public IReadOnlyList<string> ListDirectories(string directory) => _real.ListDirectories(directory);

    public long FileLength(string path) => _real.FileLength(path);

    public void Delete(string path)
    {
        _real.Delete(path);
        _durable.TryRemove(path, out _);
        _durableNames.TryRemove(path, out _);
    }

    public void DeleteDirectory(string path)
    {
        if (!MayDeleteDirectory(path))
        {
            throw new IOException($"delete {path}: Input/output error");
        }

        _real.DeleteDirectory(path);
        foreach (string name in _durableNames.Keys.Where(name => name.StartsWith(path + "/", StringComparison.Ordinal)))
        {
            _durable.TryRemove(name, out _);
            _durableNames.TryRemove(name, out _);
        }
    }

    public void Move(string source, string destination)
    {
        if (!MayMove(source))
        {
            throw new IOException($"rename {source}: Input/output error");
        }

        _real.Move(source, destination);
        foreach (string name in _durable.Keys.Concat(_durableNames.Keys).Where(name => name.StartsWith(source + "/", StringComparison.Ordinal)))
        {
            // The files of a directory: their new names are not looked after.
            _durable.TryRemove(name, out _);
            _durableNames.TryRemove(name, out _);
        }

        if (_durable.TryRemove(source, out byte[]? content))
        {
            _durable[destination] = content;
        }
    }

    public void SyncDirectory(string path)
    {
        _real.SyncDirectory(path);
        WaitForPower(path);
        if (!_frozen)
        {
            foreach (string name in Directory.GetFileSystemEntries(path))
            {
                _durableNames[name] = true;
            }
        }
    }

    public void SyncAll(string path)
    {
        foreach (string name in Directory.GetFiles(path, "*", SearchOption.AllDirectories))
        {
            byte[] content = ReadShared(name);
            Flushed(name, 0, content.Length, content);
        }

        SyncDirectory(path);
        foreach (string name in Directory.GetDirectories(path, "*", SearchOption.AllDirectories))
        {
            SyncDirectory(name);
        }
    }

    public DiskSpace GetSpace(string path) => Space?.Invoke(path) ?? _real.GetSpace(path);

    public IDisposable Lock(string path) => _real.Lock(path);

    public IStoreFile Open(string path, bool create) => MayOpen(path)
        ? new FaultyFile(this, path, _real.Open(path, create))
        : throw new IOException($"open {path}: Too many open files");

    /// <summary>The power is failing: no flush that begins now comes back before <see cref="RestorePower"/>.</summary>
    public void FreezeDurability()
    {
        _frozen = true;
        FlushGate.Reset();
    }

    /// <summary>Lets the flushes go on, so that the store can be closed; what they do no longer matters.</summary>
    public void RestorePower() => FlushGate.Set();

    /// <summary>Writes to <paramref name="target"/> what a power failure could leave of <paramref name="root"/>.</summary>
    public void LosePower(string root, string target, int seed)
    {
        var random = new Random(seed);
        foreach (string path in Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (!IsNameDurable(root, path) && random.Next(2) == 0)
            {
                continue;
            }

            byte[] current = ReadShared(path);
            byte[] durable = _durable.GetValueOrDefault(path) ?? [];
            byte[] left = new byte[current.Length];
            bool keepAll = random.Next(3) == 0;
            for (int page = 0; page < left.Length; page += PageBytes)
            {
                int length = Math.Min(PageBytes, left.Length - page);
                bool written = keepAll || random.Next(2) == 0;
                if (written)
                {
                    current.AsSpan(page, length).CopyTo(left.AsSpan(page));
                }
                else if (page < durable.Length)
                {
                    durable.AsSpan(page, Math.Min(length, durable.Length - page)).CopyTo(left.AsSpan(page));
                }
            }

            string destination = Path.Combine(target, Path.GetRelativePath(root, path));
            Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
            File.WriteAllBytes(destination, left);
        }
    }

    public static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private bool IsNameDurable(string root, string path)
    {
        for (string? name = path; name is not null && name.Length > root.Length; name = Path.GetDirectoryName(name))
        {
            if (!_durableNames.ContainsKey(name))
            {
                return false;
            }
        }

        return true;
    }

    // A new commit-log file may be made while flushes hang: nothing is in it yet, and appends would hang with it.
    private void WaitForPower(string path)
    {
        bool isNewLogFile = path.Contains("commitlog", StringComparison.Ordinal) && !_mapped.ContainsKey(path);
        if (!isNewLogFile)
        {
            FlushGate.Wait();
        }
    }

    private void Flushed(string path, long offset, long length, ReadOnlySpan<byte> content)
    {
        Interlocked.Increment(ref _flushes);
        WaitForPower(path);
        if (!MayFlush(path))
        {
            throw new FlushFailedException($"flush {path}: Input/output error");
        }

        if (_frozen)
        {
            return;
        }

        lock (_lock)
        {
            byte[] durable = _durable.GetValueOrDefault(path) ?? [];
            if (durable.Length < content.Length)
            {
                Array.Resize(ref durable, content.Length);
            }

            int start = (int)(offset & ~(PageBytes - 1));
            int end = (int)Math.Min((offset + length + PageBytes - 1) & ~(PageBytes - 1), content.Length);
            content[start..end].CopyTo(durable.AsSpan(start));
            _durable[path] = durable;
        }
    }

    private sealed class FaultyFile(FaultyFileSystem owner, string path, IStoreFile real) : IStoreFile
    {
        public long Length => real.Length;

        public void Allocate(long offset, long length)
        {
            Refuse();
            real.Allocate(offset, length);
        }

        public void ClearRange(long offset, long length)
        {
            Refuse();
            real.ClearRange(offset, length);
        }

        public void SetLength(long length) => real.SetLength(length);

        public int Read(long offset, Span<byte> destination) => real.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            if (!owner.MayWrite(path))
            {
                // As much as a disk that fails halfway takes.
                real.Write(offset, source[..(source.Length / 2)]);
                throw new IOException($"write {path}: Input/output error");
            }

            real.Write(offset, source);
            owner.Written(path);
        }

        public void Flush()
        {
            byte[] content = new byte[real.Length];
            real.Read(0, content);
            owner.Flushed(path, 0, content.Length, content);
        }

        public IMappedRegion Map(long length, bool readAhead)
        {
            owner._mapped[path] = true;
            return new FaultyRegion(owner, path, real.Map(length, readAhead));
        }

        public void Dispose() => real.Dispose();

        private void Refuse()
        {
            if (!owner.MayAllocate(path))
            {
                throw new NoSpaceException($"allocate {path}: No space left on device");
            }
        }
    }

    private sealed class FaultyRegion(FaultyFileSystem owner, string path, IMappedRegion real) : IMappedRegion
    {
        public nint Address => real.Address;

        public long Length => real.Length;

        public void LetGo(long offset, long length)
        {
            owner.LeftGo(path);
            real.LetGo(offset, length);
        }

        public unsafe void Flush(long offset, long length) =>
            owner.Flushed(path, offset, length, new ReadOnlySpan<byte>((void*)real.Address, (int)real.Length));

        public void Dispose() => real.Dispose();
    }
}
