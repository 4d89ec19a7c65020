namespace GrayMQ.Store.Tests.Support;

/// <summary>A folder of one test's own, removed at its end.</summary>
public sealed class TempFolder : IDisposable
{
    // Memory that looks like a disk, for tests that open hundreds of stores: flushes take no time there.
    private const string SharedMemory = "/dev/shm";

    public TempFolder(bool inMemory = false) => Path = inMemory && Directory.Exists(SharedMemory)
        ? Directory.CreateDirectory(System.IO.Path.Combine(SharedMemory, $"graymq-store-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("graymq-store-").FullName;

    public string Path { get; }

    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
