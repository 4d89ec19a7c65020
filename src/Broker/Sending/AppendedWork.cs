using GrayMQ.Remoting.Connections;
using GrayMQ.Store;

namespace GrayMQ.Broker.Sending;

/// <summary>Brings into the log, before they are answered, what the requests that were read with each other have appended.</summary>
internal sealed class AppendedWork(MessageStore store) : IBatchWork
{
    /// <summary>For who waits for the disk besides.</summary>
    public IBatchWork ForFlush => store.FlushDiskType == FlushDiskType.SyncFlush ? new FlushedWork(store) : this;

    public void Run() => store.AnnounceAppended();

    public bool TryRunWithOthers(Action<Exception?> done)
    {
        store.AnnounceAppendedSoon(done);
        return true;
    }

    // Wakes the flusher, which writes what has come, too.
    private sealed class FlushedWork(MessageStore store) : IBatchWork
    {
        public void Run() => store.FlushAppended();

        public bool TryRunWithOthers(Action<Exception?> done) => false;
    }
}
