using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests.Pops;

/// <summary>Opens check points, also as kill -9 would leave them.</summary>
internal static class PopStores
{
    public static KeyValueStore Open(string path) => KeyValueStore.Open(path, ["progress", .. PopStore.Families]);

    /// <summary>What a process finds that starts after one that was killed now.</summary>
    public static Reopened CopyOf(string path) => new(path);

    public sealed class Reopened : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("graymq-pops-");
        private readonly KeyValueStore _values;

        public Reopened(string source)
        {
            _values = Open(Folders.Copy(source, Path.Combine(_folder.FullName, "copy")));
            Pops = new PopStore(_values);
        }

        public PopStore Pops { get; }

        public void Dispose()
        {
            Pops.Dispose();
            _values.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
