namespace GrayMQ.Broker.Serving;

/// <summary>
/// Copies a directory whose files are being written to, so that the copy is one that kill -9 could have left: no file of it is from
/// before a change of the directory that another one is from after.
/// </summary>
internal static class DirectoryCopy
{
    // RocksDB's list of what belongs to its database. Whatever changes its files is written there first.
    private const string Manifests = "MANIFEST-*";

    private const string Follower = "state";

    private const int MaxAttempts = 1000;

    public static void Make(string source, string target)
    {
        for (int attempt = 1; !TryMake(source, target); attempt++)
        {
            Assert.True(attempt < MaxAttempts, $"{source} changed during each of {attempt} attempts to copy it");
            Directory.Delete(target, recursive: true);
        }

        // What follows the log is never ahead of it.
        foreach (string directory in Directory.EnumerateDirectories(source).OrderBy(path => Path.GetFileName(path) != Follower))
        {
            Make(directory, Path.Combine(target, Path.GetFileName(directory)));
        }
    }

    private static bool TryMake(string source, string target)
    {
        Directory.CreateDirectory(target);
        try
        {
            List<(string Path, long Length)> before = State(source);
            foreach ((string path, _) in before)
            {
                File.Copy(path, Path.Combine(target, Path.GetFileName(path)));
            }

            return before.SequenceEqual(State(source));
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    // Files that only grow at their end, such as logs, may do so during the copy.
    private static List<(string Path, long Length)> State(string directory)
    {
        HashSet<string> manifests = [.. Directory.EnumerateFiles(directory, Manifests)];
        return
        [
            .. Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal)
                .Select(path => (path, manifests.Contains(path) ? new FileInfo(path).Length : 0)),
        ];
    }
}
