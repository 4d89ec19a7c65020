using GrayMQ.Store.Files;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// What was appended and is not in its file yet. Many records are written by one call, so no page of the file faults,
/// and none has to be protected anew for each flush, which is what writing through the mapping costs. While one buffer is written
/// the other one takes what comes.
/// </summary>
internal sealed class LogTail(CommitLogFiles files) : IDisposable
{
    // Where the file system can, the kernel keeps what one call writes from a boundary on in pieces of memory as large as that; what comes in smaller
    // portions in single pages, each of which costs about as much as a large piece. So clearing it first saves more than it costs.
    private const int StretchBytes = 256 * 1024;

    // So many at once get large pieces by themselves, and the disk is spared the zeros.
    private const int LargeWriteBytes = StretchBytes / 2;

    private static readonly byte[] Zeros = new byte[StretchBytes];

    // Guarded by the append lock.
    private TailBuffer _filling = new();

    // Guarded by the write lock, and exchanged under both. That it is empty is seen under either.
    private TailBuffer _written = new();
    private CommitLogFile? _opened;
    private IStoreFile? _file;

    // Up to here nothing of the file is to be cleared any more.
    private int _clearedTo;

    /// <summary>Whether nothing waits to be written or is being written. Under the append lock.</summary>
    public bool IsWritten => _filling.IsEmpty && _written.IsEmpty;

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
        if (TryOpen(taken.File!, taken.Position) is { } file)
        {
            ClearAhead(file, taken);
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
    private IStoreFile? TryOpen(CommitLogFile file, int position)
    {
        if (!ReferenceEquals(_opened, file))
        {
            Dispose();
            try
            {
                _file = files.Open(file);
                _opened = file;
                _clearedTo = StretchEnd(position);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Tried again with the next.
            }
        }

        return _file;
    }

    // The stretch in which the records end is written first, if they are the first in it, with the zeros that stand there anyway.
    private void ClearAhead(IStoreFile file, TailBuffer taken)
    {
        int end = taken.Position + taken.Bytes;
        if (end <= _clearedTo)
        {
            return;
        }

        int start = end - (end % StretchBytes);
        if (start < end && taken.Bytes < LargeWriteBytes)
        {
            file.Write(start, Zeros.AsSpan(0, Math.Min(StretchBytes, taken.File!.Length - start)));
        }

        _clearedTo = StretchEnd(end);
    }

    private static int StretchEnd(int position) => (int)Math.Min(((long)position + StretchBytes - 1) / StretchBytes * StretchBytes, int.MaxValue);

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
