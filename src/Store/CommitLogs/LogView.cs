using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Reading;

namespace GrayMQ.Store.CommitLogs;

/// <summary>The log as followers see it: its files while the store recovers, which knows no end yet, then the log itself.</summary>
internal sealed class LogView(CommitLog log, CommitLogFiles files) : ILogView
{
    private long _recoveredFrom;

    public long DurableOffset => Math.Max(Volatile.Read(ref _recoveredFrom), log.FlushedOffset);

    /// <summary>Recovery begins here: everything below was known to be on disk.</summary>
    public void SetRecoveredFrom(long offset) => Volatile.Write(ref _recoveredFrom, offset);

    public unsafe bool TryRead(long physicalOffset, MessageSlices result)
    {
        result.Clear();
        if (physicalOffset < 0 || files.Find(physicalOffset) is not { } file || !result.TryHold(file.Memory))
        {
            return false;
        }

        int position = (int)(physicalOffset - file.BaseOffset);
        if (StoredMessage.Read(file.Memory.Span(position, file.Length - position), out StoredMessage message)
                != StoredMessageStatus.Message
            || message.PhysicalOffset != physicalOffset)
        {
            return false;
        }

        result.Add(file.Memory.Address(position), message.TotalSize, -1);
        return true;
    }
}
