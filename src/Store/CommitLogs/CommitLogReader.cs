using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Reads the log by physical offsets: what lies below its end is whole, but not every offset is where a record begins, and disks lose things.
/// Needs no lock; a file is leased while it is looked into.
/// </summary>
internal sealed class CommitLogReader(StoreOptions options, CommitLog log, ILogger logger)
{
    private readonly CommitLogFiles _files = log.Files;
    private long _lastDamageRead = -1;

    /// <summary>
    /// Adds the record at an offset to <paramref name="slices"/>, if it is there, whole and of that size. What a queue
    /// entry says of a message is so never believed against the log. What bridges a damaged stretch is no message of a queue.
    /// </summary>
    public unsafe bool TryRead(long offset, int size, long queueOffset, MessageSlices slices, out StoredMessage message)
    {
        message = default;
        CommitLogFile? file = _files.Find(offset);
        if (file is null || size < StoredMessageLayout.MinRecordBytes || size > log.MaxOffset - offset)
        {
            return false;
        }

        int position = (int)(offset - file.BaseOffset);
        if (size > file.Length - position || !slices.TryHold(file.Memory))
        {
            return false;
        }

        if (StoredMessage.Read(file.Memory.Span(position, size), out message) != StoredMessageStatus.Message
            || message.TotalSize != size
            || message.PhysicalOffset != offset
            || (queueOffset >= 0 && !LogicQueue.Takes(message.SysFlag))
            || (options.CheckCrcOnRead && !message.BodyCrcMatches()))
        {
            OnDamageRead(offset);
            return false;
        }

        slices.Add(file.Memory.Address(position), size, queueOffset);
        return true;
    }

    /// <summary>As <see cref="TryRead"/> for an offset that somebody from outside has named: the record's own size counts.</summary>
    public bool TryReadAt(long offset, MessageSlices slices)
    {
        if (Lease(offset) is not { } file)
        {
            return false;
        }

        try
        {
            return IsMessage(file, offset, out StoredMessage message)
                && message.BodyCrcMatches()
                && TryRead(offset, message.TotalSize, -1, slices, out _);
        }
        finally
        {
            file.Memory.Release();
        }
    }

    /// <summary>When the message at an offset was stored, ms; -1 if there is none.</summary>
    public long StoreTimestampAt(long offset)
    {
        if (Lease(offset) is not { } file)
        {
            return -1;
        }

        try
        {
            return IsMessage(file, offset, out StoredMessage message) ? message.StoreTimestampMs : -1;
        }
        finally
        {
            file.Memory.Release();
        }
    }

    /// <summary>Reads every page from an offset to the end of the log, and forgets what it read.</summary>
    /// <returns>The bytes between them.</returns>
    public long PageIn(long from)
    {
        long end = log.MaxOffset;
        for (long offset = from; offset < end; offset += Environment.SystemPageSize)
        {
            if (Lease(offset) is { } file)
            {
                // Read for its own sake, which no compiler may leave out.
                Volatile.Read(in file.Memory.Span((int)(offset - file.BaseOffset), 1)[0]);
                file.Memory.Release();
            }
        }

        return Math.Max(0, end - from);
    }

    // The file that holds an offset of the log, for the caller to release; null if there is none, or none any more.
    private CommitLogFile? Lease(long offset) =>
        offset >= 0 && offset < log.MaxOffset && _files.Find(offset) is { } file && file.Memory.TryLease() ? file : null;

    private bool IsMessage(CommitLogFile file, long offset, out StoredMessage message)
    {
        int position = (int)(offset - file.BaseOffset);
        int available = (int)Math.Min(file.Length - position, log.MaxOffset - offset);
        return StoredMessage.Read(file.Memory.Span(position, available), out message) == StoredMessageStatus.Message
            && message.PhysicalOffset == offset;
    }

    // A consumer that comes by again and again is no news.
    private void OnDamageRead(long offset)
    {
        if (Interlocked.Exchange(ref _lastDamageRead, offset) != offset)
        {
            Log.DamageRead(logger, offset);
        }
    }
}
