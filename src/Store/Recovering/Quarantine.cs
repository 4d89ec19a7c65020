using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>Where files go that cannot be used: out of the way of RocketMQ and of us, but not thrown away.</summary>
internal sealed class Quarantine(StoreOptions options, IStoreFileSystem fileSystem, ILogger logger)
{
    public const string DirectoryName = "quarantine";

    /// <summary>Moves a file or directory away and says why.</summary>
    public void Take(string path, string reason)
    {
        string directory = Path.Combine(options.RootDirectory, DirectoryName);
        fileSystem.CreateDirectory(directory);
        string name = Path.GetRelativePath(options.RootDirectory, path).Replace(Path.DirectorySeparatorChar, '-').Trim('.', '-');
        string target = Path.Combine(directory, name);
        for (int i = 1; fileSystem.FileExists(target) || fileSystem.DirectoryExists(target); i++)
        {
            target = Path.Combine(directory, $"{name}.{i}");
        }

        fileSystem.Move(path, target);
        Log.Quarantined(logger, path, target, reason);
    }
}
