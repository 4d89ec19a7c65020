using GrayMQ.Store.Files;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// What was appended and is not in its file yet. Many records are written by one call, so no page of the file is cleared first, none faults,
/// and none has to be protected anew for each flush, which is what writing through the mapping costs. While one buffer is written
/// the other one takes what comes.
/// </summary>
internal sealed class LogTail(CommitLogFiles files) : IDisposable
{
    // Guarded by the append lock.
    private TailBuffer _filling = new();

    // Guarded by the write lock, and exchanged under both.
    private TailBuffer _written = new();
    private CommitLogFile? _opened;
    private IStoreFile? _file;

    /// <inheritdoc cref="TailBuffer.IsEmpty"/>
    public bool IsEmpty => _filling.IsEmpty;

    /// <inheritdoc cref="TailBuffer.TryReserve"/>
    /// <returns>Whose <see cref="TailBuffer.Filled"/> is to be called; null if what is here has to be written first.</returns>
    public TailBuffer? TryReserve(CommitLogFile file, int messages, int bytes, long endOffset, out Span<byte> place, out int number) =>
        _filling.TryReserve(file, messages, bytes, endOffset, out place, out number) ? _filling : null;

    /// <summary>Takes what there is, to be written and cleared before the write lock is given back; null if there is nothing. Under both locks.</summary>
    public TailBuffer? Take()
    {
        if (_filling.IsEmpty)
        {
            return null;
        }

        (_filling, _written) = (_written, _filling);
        return _written;
    }

    /// <summary>Throws IOException. Under the write lock.</summary>
    public void Write(TailBuffer taken)
    {
        if (TryOpen(taken.File!) is { } file)
        {
            taken.WriteTo(file);
        }
        else
        {
            WriteToMapping(taken);
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _opened = null;
    }

    // Too many files may be open just now, which is no reason to take no messages: this one is mapped already.
    private IStoreFile? TryOpen(CommitLogFile file)
    {
        if (!ReferenceEquals(_opened, file))
        {
            Dispose();
            try
            {
                _file = files.Open(file);
                _opened = file;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Tried again with the next.
            }
        }

        return _file;
    }

    private static void WriteToMapping(TailBuffer taken)
    {
        MappedFile memory = taken.File!.Memory;
        if (!memory.TryLease())
        {
            throw new IOException($"The commit log has no file for {taken.File.BaseOffset} any more.");
        }

        try
        {
            taken.CopyTo(memory);
        }
        finally
        {
            memory.Release();
        }
    }
}
