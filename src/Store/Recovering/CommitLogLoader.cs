using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>Finds and maps the files of the commit log.</summary>
internal sealed class CommitLogLoader(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    StoreFileSizes written,
    CommitLogFiles files,
    Quarantine quarantine,
    ILogger logger)
{
    // RocketMQ, too, makes files of whole pages; a file that was cut off by accident seldom ends with one.
    private const int PageBytes = 4096;

    /// <summary>
    /// Loads what is there. A file that is too short was truncated: it is brought back to its length, and the rest reads as
    /// empty. Files that were written with another size than the settings say are refused, before any is touched: throws
    /// <see cref="InvalidDataException"/>.
    /// </summary>
    public void Load()
    {
        string directory = options.CommitLogPath;
        fileSystem.CreateDirectory(directory);
        int fileBytes = options.CommitLogFileBytes;
        var found = new List<(string Path, long Base, long Length)>();
        foreach (string name in fileSystem.ListFiles(directory))
        {
            string path = Path.Combine(directory, name);
            if (CommitLogFile.TryParseName(name, out long baseOffset))
            {
                found.Add((path, baseOffset, fileSystem.FileLength(path)));
            }
            else
            {
                quarantine.Take(path, "its name is not an offset of 20 digits");
            }
        }

        RefuseOtherSize(found);
        foreach ((string path, long baseOffset, long length) in found)
        {
            if (baseOffset % fileBytes != 0)
            {
                quarantine.Take(path, $"its name is not a multiple of the file size {fileBytes}");
                continue;
            }

            if (length < fileBytes && found.Count > 1 && path == found[^1].Path && BeginsEmpty(path))
            {
                // It was being made ahead when the process ended.
                fileSystem.Delete(path);
                Log.UnfinishedFileRemoved(logger, path);
                continue;
            }

            if (length < fileBytes)
            {
                Log.ShortFileExtended(logger, path, length, fileBytes);
                using IStoreFile file = fileSystem.Open(path, create: false);
                file.Allocate(0, fileBytes);
            }

            if (files.Last is { } last && baseOffset != last.EndOffset)
            {
                Log.CommitLogFilesMissing(logger, last.EndOffset, baseOffset);
            }

            files.Add(files.Map(path, baseOffset, (int)Math.Min(length, fileBytes)));
        }
    }

    private bool BeginsEmpty(string path)
    {
        Span<byte> head = stackalloc byte[StoredMessageLayout.BlankHeaderBytes];
        head.Clear();
        using IStoreFile file = fileSystem.Open(path, create: false);
        _ = file.Read(0, head);
        return !head.ContainsAnyExcept((byte)0);
    }

    private void RefuseOtherSize(List<(string Path, long Base, long Length)> found)
    {
        long longest = found.Count == 0 ? 0 : found.Max(file => file.Length);
        long step = 0;
        foreach ((string _, long baseOffset, long _) in found)
        {
            step = GreatestCommonDivisor(step, baseOffset);
        }

        bool tooLong = longest > options.CommitLogFileBytes;
        bool denser = found.Count > 1 && step > 0 && step < options.CommitLogFileBytes && longest == step;
        if (tooLong || denser)
        {
            throw OtherSize(longest);
        }

        // One whole file proves the setting, whatever became of the others.
        if (found.Count == 0 || longest == options.CommitLogFileBytes)
        {
            return;
        }

        if (written.CommitLogFileBytes > 0)
        {
            if (written.CommitLogFileBytes != options.CommitLogFileBytes)
            {
                throw OtherSize(written.CommitLogFileBytes);
            }

            return;
        }

        // Nothing says with what size they were written. A file is made at its full length, so short ones were cut off,
        // or they are whole and the setting is wrong: to extend them then would break the log for good.
        long first = found[0].Length;
        if (first > 0 && first % PageBytes == 0 && !BeginsEmpty(found[0].Path))
        {
            throw OtherSize(first);
        }
    }

    private InvalidDataException OtherSize(long seen) => new(
        $"The commit log in {options.CommitLogPath} has files of {seen} bytes; mappedFileSizeCommitLog says "
        + $"{options.CommitLogFileBytes}. Set it to what the store was written with.");

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
