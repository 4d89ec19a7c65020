using GrayMQ.Broker.Serving;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// The messages of a stopped broker, to be put back when it is stopped again: what it stored meanwhile is lost, what its databases know is
/// not.
/// </summary>
internal sealed class KeptMessages : IDisposable
{
    private static readonly string[] Databases = ["config", "state"];

    private readonly string _store;
    private readonly string _kept = Directory.CreateTempSubdirectory("graymq-kept-").FullName;

    public KeptMessages(string store)
    {
        _store = store;
        DirectoryCopy.Make(store, _kept);
    }

    public void PutBack()
    {
        foreach (string database in Databases)
        {
            Directory.Delete(Path.Combine(_kept, database), recursive: true);
            Directory.Move(Path.Combine(_store, database), Path.Combine(_kept, database));
        }

        Directory.Delete(_store, recursive: true);
        DirectoryCopy.Make(_kept, _store);
    }

    public void Dispose() => Directory.Delete(_kept, recursive: true);
}
