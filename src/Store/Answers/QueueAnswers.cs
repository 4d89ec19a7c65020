using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.Answers;

/// <summary>
/// What is kept beside the entries of one queue: bytes whose meaning is the filters', one answer for each message at most. Nothing here is
/// flushed and nothing needs recovery: an answer says of itself whose it is, and one that is lost or damaged is as if it had never
/// been given. There are files only where answers were. Written by the dispatcher (under its lock) or recovery, read by anybody.
/// </summary>
internal sealed class QueueAnswers(LogicQueue queue)
{
    // Ascending, not without gaps; null until somebody asks.
    private volatile AnswerFile[]? _files;

    private ConsumeQueueStorage Storage => queue.Storage;

    private string DirectoryPath => Path.Combine(Storage.AnswersPath, queue.Topic, Path.GetFileName(queue.DirectoryPath));

    /// <summary>Keeps an answer; false when the file has no room for it. Throws IOException.</summary>
    public bool TryPut(long queueOffset, in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer)
    {
        AnswerFile file = Find(queueOffset) ?? Add(queueOffset - (queueOffset % Storage.FileEntries));
        return file.TryPut((int)(queueOffset - file.FirstEntry), entry, answer);
    }

    /// <summary>The file with the answers of an entry, or null. Throws IOException.</summary>
    public AnswerFile? Find(long queueOffset)
    {
        AnswerFile[] files = _files ?? Load();
        for (int i = files.Length - 1; i >= 0; i--)
        {
            if (queueOffset >= files[i].FirstEntry)
            {
                return queueOffset < files[i].FirstEntry + Storage.FileEntries ? files[i] : null;
            }
        }

        return null;
    }

    /// <summary>Forgets the answers from an entry on. Throws IOException.</summary>
    public void CutTo(long queueOffset)
    {
        AnswerFile[] files = _files ?? Load();
        int keep = files.Length;
        while (keep > 0 && files[keep - 1].FirstEntry >= queueOffset)
        {
            Remove(files[--keep]);
        }

        _files = files[..keep];
        if (Find(queueOffset) is { } file)
        {
            file.CutTo((int)(queueOffset - file.FirstEntry));
        }
    }

    /// <summary>Removes the files whose entries are all gone. Throws IOException.</summary>
    public void RemoveBefore(long firstEntry)
    {
        AnswerFile[] files = _files ?? Load();
        int gone = 0;
        while (gone < files.Length && files[gone].FirstEntry < firstEntry)
        {
            gone++;
        }

        if (gone > 0)
        {
            _files = files[gone..];
            foreach (AnswerFile file in files.AsSpan(0, gone))
            {
                Remove(file);
            }
        }
    }

    public void UnmapIdle(long usedBeforeMs)
    {
        foreach (AnswerFile file in _files ?? [])
        {
            file.UnmapIfIdle(usedBeforeMs);
        }
    }

    public void Unmap()
    {
        foreach (AnswerFile file in _files ?? [])
        {
            file.Unmap();
        }
    }

    /// <summary>The files are about to go, all at once.</summary>
    public void Retire()
    {
        foreach (AnswerFile file in _files ?? [])
        {
            file.Retire();
        }

        _files = null;
    }

    private AnswerFile Add(long firstEntry)
    {
        Storage.FileSystem.CreateDirectory(DirectoryPath);
        var file = new AnswerFile(Storage, PathOf(firstEntry), firstEntry, AnswerFile.FirstLength(Storage.FileEntries));
        file.Create();
        _files = [.. _files!, file];
        return file;
    }

    private string PathOf(long firstEntry) =>
        Path.Combine(DirectoryPath, CommitLogFile.NameOf(firstEntry * ConsumeQueueEntry.Bytes));

    private void Remove(AnswerFile file)
    {
        file.Retire();
        Storage.FileSystem.Delete(file.Path);
    }

    private AnswerFile[] Load()
    {
        lock (Storage.MapLock)
        {
            if (_files is { } loaded)
            {
                return loaded;
            }

            var files = new List<AnswerFile>();
            int fewestBytes = AnswerFile.FirstLength(Storage.FileEntries);
            foreach (string name in Storage.FileSystem.ListFiles(DirectoryPath))
            {
                string path = Path.Combine(DirectoryPath, name);
                long length = Storage.FileSystem.FileLength(path);
                if (CommitLogFile.TryParseName(name, out long baseOffset)
                    && baseOffset % Storage.FileBytes == 0
                    && length >= fewestBytes
                    && length <= Array.MaxLength)
                {
                    files.Add(new AnswerFile(Storage, path, baseOffset / ConsumeQueueEntry.Bytes, (int)length));
                }
                else
                {
                    // Not finished when the process ended, or for queue files of another size: of no use to anybody.
                    Storage.FileSystem.Delete(path);
                    Log.UnfinishedFileRemoved(Storage.Logger, path);
                }
            }

            return _files = [.. files];
        }
    }
}
