using GrayMQ.Remoting.Connections;
using GrayMQ.Store;

namespace GrayMQ.Broker.Sending;

/// <summary>Brings into the log, before they are answered, what the requests that were read with each other have appended.</summary>
internal sealed class AppendedWork : IBatchWork
{
    private readonly MessageStore _store;

    public AppendedWork(MessageStore store)
    {
        _store = store;
        ForFlush = store.FlushDiskType == FlushDiskType.SyncFlush ? new FlushedWork(store) : this;
    }

    /// <summary>For who waits for the disk besides.</summary>
    public IBatchWork ForFlush { get; }

    public void Run() => _store.AnnounceAppended();

    public bool TryRunWithOthers(Action<Exception?> done)
    {
        _store.AnnounceAppendedSoon(done);
        return true;
    }

    // Wakes the flusher, which writes what has come, too.
    private sealed class FlushedWork(MessageStore store) : IBatchWork
    {
        public void Run() => store.FlushAppended();

        public bool TryRunWithOthers(Action<Exception?> done) => false;
    }
}
