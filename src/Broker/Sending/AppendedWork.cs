using GrayMQ.Broker.Statistics;
using GrayMQ.Remoting.Connections;
using GrayMQ.Store;

namespace GrayMQ.Broker.Sending;

/// <summary>Brings into the log, before they are answered, what the requests that were read with each other have appended, and counts it.</summary>
internal sealed class AppendedWork : IBatchWork
{
    // So many are worth a write of their own: whoever has just copied them writes them sooner than another, who would have to fetch them first.
    private const int RequestsToWriteHere = 4;

    private readonly MessageStore _store;

    public AppendedWork(MessageStore store)
    {
        _store = store;
        ForFlush = store.FlushDiskType == FlushDiskType.SyncFlush ? new FlushedWork(store) : this;
    }

    /// <summary>For who waits for the disk besides.</summary>
    public IBatchWork ForFlush { get; }

    public void Run()
    {
        PutTally.OfThread.Count();
        _store.AnnounceAppended();
    }

    public bool TryRunWithOthers(Action<Exception?> done)
    {
        int requests = PutTally.OfThread.Count();
        _store.AnnounceAppendedSoon(done, here: requests >= RequestsToWriteHere);
        return true;
    }

    // Wakes the flusher, which writes what has come, too.
    private sealed class FlushedWork(MessageStore store) : IBatchWork
    {
        public void Run()
        {
            PutTally.OfThread.Count();
            store.FlushAppended();
        }

        public bool TryRunWithOthers(Action<Exception?> done) => false;
    }
}
