using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CommitLogs;

namespace GrayMQ.Store.Retention;

/// <summary>
/// How old the oldest file of the log is: as old as the message that follows it, the first one of the next file. Where that is
/// lost or holds nothing but filler, the next one that begins with a message tells; if there is none, the file itself.
/// </summary>
internal sealed class FileAge(CommitLogFiles files, CommitLogReader reader)
{
    // The file that was last read through, and what came out: it is asked for again and again until the file goes.
    private long _readBase = -1;
    private long _newestMs;

    /// <summary>A time at which all messages of the oldest file were stored already, ms; -1 if nothing tells.</summary>
    public long StoredByMs(CommitLogFile first)
    {
        foreach (CommitLogFile? next in files.All)
        {
            if (next is not null && next.BaseOffset >= first.EndOffset && reader.StoreTimestampAt(next.BaseOffset) is >= 0 and long followedAt)
            {
                return followedAt;
            }
        }

        if (_readBase != first.BaseOffset)
        {
            _newestMs = ReadNewest(first);
            _readBase = first.BaseOffset;
        }

        return _newestMs;
    }

    private static long ReadNewest(CommitLogFile file)
    {
        if (!file.Memory.TryLease())
        {
            return -1;
        }

        try
        {
            long newest = -1;
            int position = 0;
            while (position < file.Length
                && StoredMessage.Read(file.Memory.Span(position, file.Length - position), out StoredMessage message)
                    == StoredMessageStatus.Message)
            {
                newest = Math.Max(newest, message.StoreTimestampMs);
                position += message.TotalSize;
            }

            return newest;
        }
        finally
        {
            file.Memory.Release();
        }
    }
}
