using System.Runtime.InteropServices;
using System.Text;

namespace GrayMQ.Store.Files;

/// <summary>The real file system: posix_fallocate, mmap and msync below, .NET's own calls for the rest.</summary>
public sealed class LinuxFileSystem : IStoreFileSystem
{
    public static LinuxFileSystem Instance { get; } = new();

    public bool FileExists(string path) => File.Exists(path);

    public bool DirectoryExists(string path) => Directory.Exists(path);

    public void CreateDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot make the directory {path}: {e.Message}", e);
        }
    }

    public IReadOnlyList<string> ListFiles(string directory) => List(directory, files: true);

    public IReadOnlyList<string> ListDirectories(string directory) => List(directory, files: false);

    public long FileLength(string path) => new FileInfo(path).Length;

    public void Delete(string path) => File.Delete(path);

    public void DeleteDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    public void Move(string source, string destination)
    {
        if (Directory.Exists(source))
        {
            Directory.Move(source, destination);
        }
        else
        {
            File.Move(source, destination, overwrite: true);
        }
    }

    public void SyncDirectory(string path) => Sync(path, "fsync", Libc.SyncFile);

    public void SyncAll(string path) => Sync(path, "syncfs", Libc.SyncFileSystem);

    public DiskSpace GetSpace(string path)
    {
        var drive = new DriveInfo(path);
        return new DiskSpace(drive.TotalSize, drive.TotalFreeSpace, drive.AvailableFreeSpace);
    }

    public unsafe IDisposable Lock(string path)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        try
        {
            // The first byte, as RocketMQ locks it.
            var range = new Libc.FileLock { Type = Libc.WriteLock, Length = 1 };
            if (Libc.Control(file.SafeFileHandle, Libc.SetOpenFileLock, &range) != 0)
            {
                throw new IOException($"the store {Path.GetDirectoryName(Path.GetFullPath(path))} is in use by another process");
            }

            file.Write(Encoding.ASCII.GetBytes("lock"));
            file.Flush();
            return new LinuxFileLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public IStoreFile Open(string path, bool create) => new LinuxStoreFile(path, create);

    internal static IOException Failure(string call, string path, int error)
    {
        string text = Text(call, path, error);
        return error is Libc.ErrorNoSpace or Libc.ErrorQuota ? new NoSpaceException(text) : new IOException(text);
    }

    internal static FlushFailedException FlushFailure(string call, string path, int error) => new(Text(call, path, error));

    private static string Text(string call, string path, int error) =>
        $"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})";

    private static void Sync(string directory, string call, Func<int, int> sync)
    {
        int directoryFlag = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? Libc.OpenDirectoryArm64
            : Libc.OpenDirectory;
        int descriptor = Libc.Open(directory, Libc.OpenReadOnly | Libc.OpenCloseOnExec | directoryFlag);
        if (descriptor < 0)
        {
            throw Failure("open", directory, Marshal.GetLastPInvokeError());
        }

        int result = sync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Libc.Close(descriptor);
        if (result != 0)
        {
            throw FlushFailure(call, directory, error);
        }
    }

    private static string[] List(string directory, bool files)
    {
        if (!Directory.Exists(directory))
        {
            return [];
        }

        string[] names = files ? Directory.GetFiles(directory) : Directory.GetDirectories(directory);
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = Path.GetFileName(names[i]);
        }

        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
