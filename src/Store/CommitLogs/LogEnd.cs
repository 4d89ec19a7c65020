using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;

namespace GrayMQ.Store.CommitLogs;

/// <summary>The end of the log, where records are given their places one behind the other. Guarded by the append lock, where nothing else is said.</summary>
internal sealed class LogEnd(CommitLogFiles files, LogTail tail, LogRoom room)
{
    private CommitLogFile? _current;
    private bool _reserved = true;
    private long _offset;

    /// <summary>Where the next record will stand, or behind what is left of its file. From any thread.</summary>
    public long Offset => Volatile.Read(ref _offset);

    /// <inheritdoc cref="CommitLog.SetEnd"/>
    public void Set(long offset, bool reserved)
    {
        _current = files.Find(offset);
        _reserved = reserved;
        Volatile.Write(ref _offset, offset);
    }

    /// <summary>Gives a place to records, closing the current file and opening the next if need be.</summary>
    /// <returns>Ok, or that there is no room for them; null when what has gathered or is being written has to be in its file first.</returns>
    public AppendStatus? TryReserve(int messages, int bytes, out LogPlace place)
    {
        place = default;
        _reserved = _reserved || room.TryReserve(_current!, (int)(_offset - _current!.BaseOffset));
        if (!_reserved)
        {
            return AppendStatus.CreateMappedFileFailed;
        }

        if (_current is null || bytes + StoredMessageLayout.BlankHeaderBytes > _current.EndOffset - _offset)
        {
            // What is being written may clear what stands behind it, where the file's rest is marked as blank.
            if (!tail.IsWritten)
            {
                return null;
            }

            if (!TryOpenNext())
            {
                return AppendStatus.CreateMappedFileFailed;
            }
        }

        CommitLogFile current = _current!;
        long end = _offset + bytes;
        if (end - current.BaseOffset > current.Length / 2)
        {
            files.Prepare(current.EndOffset);
        }

        if (tail.TryReserve(current, messages, bytes, end, out Span<byte> free, out int number) is not { } buffer)
        {
            return null;
        }

        place = new LogPlace(buffer, number, _offset, free);
        Volatile.Write(ref _offset, end);
        return AppendStatus.Ok;
    }

    private bool TryOpenNext()
    {
        long nextBase = _current?.EndOffset ?? _offset - (_offset % files.FileBytes);
        if (!room.TryAddFile(nextBase, out CommitLogFile? next))
        {
            return false;
        }

        if (_current is { } last && last.EndOffset - _offset >= StoredMessageLayout.BlankHeaderBytes)
        {
            int left = (int)(last.EndOffset - _offset);
            StoredMessageWriter.WriteBlank(last.Memory.Span(last.Length - left, StoredMessageLayout.BlankHeaderBytes), left);
        }

        _current = next;
        Volatile.Write(ref _offset, nextBase);
        return true;
    }
}
