namespace GrayMQ.Store.Tests.KeyValue;

/// <summary>A folder of one test, gone with it.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("graymq-keyvalue-");

    public string Path => System.IO.Path.Combine(_folder.FullName, "store");

    public void Dispose() => _folder.Delete(recursive: true);
}
