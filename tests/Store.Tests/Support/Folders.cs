namespace GrayMQ.Store.Tests.Support;

/// <summary>Copies of store directories: a copy of an open store is what kill -9 would leave.</summary>
public static class Folders
{
    public static string Copy(string source, string target)
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

        return target;
    }
}
