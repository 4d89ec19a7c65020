namespace GrayMQ.Store.Tests.Support;

/// <summary>Copies of store directories: a copy of an open store is what kill -9 would leave.</summary>
public static class Folders
{
    private const int MaxAttempts = 100;

    /// <summary>Copies all files as they are at one moment: anew where some came or went meanwhile, as they do when a database compacts.</summary>
    public static string Copy(string source, string target)
    {
        for (int attempt = 1; ; attempt++)
        {
            HashSet<string> before = Files(source);
            try
            {
                CopyOnce(source, target);
                if (before.SetEquals(Files(source)))
                {
                    return target;
                }
            }
            catch (FileNotFoundException) when (attempt < MaxAttempts)
            {
            }

            Assert.True(attempt < MaxAttempts, $"files of {source} come and go without an end");
            Directory.Delete(target, recursive: true);
        }
    }

    private static HashSet<string> Files(string path) => [.. Directory.GetFiles(path, "*", SearchOption.AllDirectories)];

    private static void CopyOnce(string source, string target)
    {
        foreach (string path in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            string destination = Path.Combine(target, Path.GetRelativePath(source, path));
            Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
            File.WriteAllBytes(destination, FaultyFileSystem.ReadShared(path));
        }

        foreach (string path in Directory.GetDirectories(source, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(target, Path.GetRelativePath(source, path)));
        }
    }
}
