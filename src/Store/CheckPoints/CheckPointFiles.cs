using GrayMQ.Store.Files;

namespace GrayMQ.Store.CheckPoints;

/// <summary>Reads and writes both check points: RocketMQ's and our own.</summary>
internal sealed class CheckPointFiles : IDisposable
{
    public const string ProgressFileName = "graymq.progress";

    private readonly IStoreFile _rocket;
    private readonly IStoreFile _progress;

    public CheckPointFiles(StoreOptions options, IStoreFileSystem fileSystem)
    {
        string rocketPath = Path.Combine(options.RootDirectory, RocketCheckPoint.FileName);
        Rocket = RocketCheckPoint.Load(fileSystem, rocketPath);
        _rocket = fileSystem.Open(rocketPath, create: true);
        _progress = fileSystem.Open(Path.Combine(options.RootDirectory, ProgressFileName), create: true);
        Progress = Load(_progress);
        Reserve(_rocket, RocketCheckPoint.FileBytes);
        Reserve(_progress, 2 * ProgressRecord.SlotBytes);
    }

    /// <summary>RocketMQ's check point, as it was last written.</summary>
    public RocketCheckPoint Rocket { get; private set; }

    /// <summary>Our own, as it was last written; null if there is none that can be read.</summary>
    public ProgressRecord? Progress { get; private set; }

    /// <summary>The sizes of the store's files as it was last written; 0 where that is not known.</summary>
    public StoreFileSizes FileSizes => Progress?.FileSizes ?? default;

    /// <summary>Makes both durable, our own first. Throws IOException.</summary>
    public void Save(in ProgressRecord progress, in RocketCheckPoint rocket)
    {
        ProgressRecord next = progress with { Sequence = (Progress?.Sequence ?? 0) + 1 };
        Span<byte> slot = stackalloc byte[ProgressRecord.SlotBytes];
        next.WriteTo(slot);
        _progress.Write(next.Sequence % 2 * ProgressRecord.SlotBytes, slot);
        _progress.Flush();
        Progress = next;
        rocket.Save(_rocket);
        Rocket = rocket;
    }

    public void Dispose()
    {
        _rocket.Dispose();
        _progress.Dispose();
    }

    private static ProgressRecord? Load(IStoreFile file)
    {
        Span<byte> slots = stackalloc byte[2 * ProgressRecord.SlotBytes];
        slots.Clear();
        _ = file.Read(0, slots);
        bool hasFirst = ProgressRecord.TryRead(slots, out ProgressRecord first);
        bool hasSecond = ProgressRecord.TryRead(slots[ProgressRecord.SlotBytes..], out ProgressRecord second);
        return (hasFirst, hasSecond) switch
        {
            (true, true) => first.Sequence > second.Sequence ? first : second,
            (true, false) => first,
            (false, true) => second,
            _ => null,
        };
    }

    // With its blocks reserved, a check point can be written on a full disk.
    private static void Reserve(IStoreFile file, long length)
    {
        try
        {
            file.Allocate(0, length);
        }
        catch (NoSpaceException)
        {
            // Then the file has what it has; writing says so if it is not enough.
        }
    }
}
