using System.Buffers;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Indexes;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store;

/// <summary>
/// The messages of a broker on disk, in RocketMQ's bytes: one commit log, a consume queue per topic and queue id, an index of
/// keys. All methods may be called by any thread. What is appended becomes readable through its queue when the dispatcher has
/// come to it, which the <see cref="IArrivalListener"/> is told.
/// </summary>
public sealed class MessageStore : IAsyncDisposable
{
    // Each is a file to be mapped.
    private const int MaxQueuesPagedIn = 1000;

    private readonly StoreParts _parts;
    private readonly StoreOptions _options;
    private readonly IStoreFileSystem _fileSystem;
    private readonly QueueTable _queues;
    private readonly CommitLog _log;
    private readonly CommitLogReader _logReader;
    private readonly Dispatcher _dispatcher;
    private readonly Flusher _flusher;
    private readonly QueueReader _reader;
    private readonly KeyQuery _keyQuery;
    private readonly GroupAnnouncement _announcing;
    private int _closed;

    private MessageStore(StoreOptions options, IStoreFileSystem fileSystem, StoreParts parts)
    {
        _options = options;
        _fileSystem = fileSystem;
        _parts = parts;
        _queues = parts.Queues;
        _log = parts.CommitLog;
        _logReader = parts.LogReader;
        _dispatcher = parts.Dispatcher;
        _flusher = parts.Flusher;
        _reader = new QueueReader(options, _log, _logReader);
        _keyQuery = new KeyQuery(options, parts.Index, _logReader);
        OpenedAtOffset = parts.OpenedAtOffset;
        _announcing = new GroupAnnouncement(_log.Writer.WriteAppended, FollowWritten);
    }

    /// <summary>Counters for the broker's runtime info.</summary>
    public StoreStatistics Statistics => _parts.Statistics;

    /// <summary>The offset of the first byte that the log still has.</summary>
    public long MinPhysicalOffset => _log.MinOffset;

    /// <summary>The end of the log, with what is not in its file yet.</summary>
    public long MaxPhysicalOffset => _log.AppendedOffset;

    /// <summary>Everything below is on disk.</summary>
    public long FlushedOffset => _log.FlushedOffset;

    /// <summary>Everything below is in its queue.</summary>
    public long DispatchedOffset => _dispatcher.Offset;

    /// <summary>Whether a message is on disk before its sender is answered.</summary>
    public FlushDiskType FlushDiskType => _options.FlushDiskType;

    /// <summary>Where the log ended when the store was opened.</summary>
    public long OpenedAtOffset { get; }

    /// <summary>
    /// Is everything dispatched that the log held when the store was opened? It is at once, but where a full disk stopped it: then the
    /// dispatcher goes on when there is room.
    /// </summary>
    public bool IsCaughtUp => DispatchedOffset >= OpenedAtOffset;

    /// <summary>Bytes of the log that are not in their queues yet (RocketMQ: dispatchBehindBytes).</summary>
    public long DispatchBehindBytes => Math.Max(0, MaxPhysicalOffset - _dispatcher.Offset);

    /// <summary>Does the store take messages? If not, it is closing, its disk is nearly full, or a flush has failed.</summary>
    public bool IsWritable => _parts.Flags.IsWritable;

    /// <summary>Every queue, in no order.</summary>
    public IEnumerable<LogicQueue> Queues => _queues.All;

    /// <summary>When the oldest message of the log was stored, ms; -1 if there is none.</summary>
    public long EarliestStoreTimestampMs => _logReader.StoreTimestampAt(_log.MinOffset);

    /// <summary>
    /// Opens a store, recovering what was not closed in order; nothing can be read before it returns. Throws
    /// <see cref="ArgumentException"/> for settings that cannot be, <see cref="InvalidDataException"/> for a store that was
    /// written with other file sizes, <see cref="IOException"/> if it is in use or the disk fails.
    /// Before it returns, <paramref name="followers"/> have been shown all that the log holds and they did not know.
    /// A <paramref name="storeLock"/> that the caller has taken stays the caller's, to be held for longer than the store is open.
    /// </summary>
    public static MessageStore Open(
        StoreOptions options,
        IStoreFileSystem files,
        TimeProvider time,
        ILoggerFactory logs,
        IArrivalListener arrivals,
        ITagsCodeRule? tagsCodes = null,
        StoreLock? storeLock = null,
        IReadOnlyList<ILogFollower>? followers = null)
    {
        options.Validate();
        StoreLock? ownLock = storeLock is null ? StoreLock.Take(options.RootDirectory, files) : null;
        try
        {
            return new MessageStore(options, files, new StoreParts(
                options, files, time, logs.CreateLogger("GrayMQ.Store"), arrivals, tagsCodes, followers ?? [], ownLock));
        }
        catch
        {
            ownLock?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Brings the end of the log into memory, and the ends of the queues, so that who comes first waits for no disk. What cannot be read is
    /// left to whoever asks for it.
    /// </summary>
    /// <param name="maxBytes">Of the log.</param>
    /// <returns>The bytes of the log that were brought.</returns>
    public long PageInTail(long maxBytes)
    {
        foreach (LogicQueue queue in _queues.All.Where(queue => queue.MessageCount > 0).Take(maxBytes > 0 ? MaxQueuesPagedIn : 0))
        {
            queue.TryGetEntry(queue.MaxOffset - 1, out _);
        }

        return _logReader.PageIn(Math.Max(_log.MinOffset, _log.MaxOffset - maxBytes));
    }

    /// <summary>Starts the threads that flush, dispatch and clean.</summary>
    public void Start() => _parts.Start();

    /// <summary>Finds a queue, making it if need be. Throws <see cref="ArgumentException"/> for a topic or id that cannot be.</summary>
    public LogicQueue GetQueue(ReadOnlySpan<byte> topic, int queueId) => _queues.GetOrAdd(topic, queueId);

    /// <inheritdoc cref="GetQueue(ReadOnlySpan{byte}, int)"/>
    public LogicQueue GetQueue(string topic, int queueId) => _queues.GetOrAdd(Encoding.UTF8.GetBytes(topic), queueId);

    public LogicQueue? FindQueue(ReadOnlySpan<byte> topic, int queueId) => _queues.Find(topic, queueId);

    public LogicQueue? FindQueue(string topic, int queueId) => _queues.Find(Encoding.UTF8.GetBytes(topic), queueId);

    /// <summary>Appends a message, which outlives the process; with SYNC_FLUSH it is only on disk once <see cref="WaitForFlushAsync"/> says so.</summary>
    /// <param name="mappingEpoch">
    /// The <see cref="MappingEpoch"/> by which the queue was chosen: the message is only stored while that is the epoch. Null where the queue
    /// depends on nothing that <see cref="Cut"/> changes.
    /// </param>
    public AppendResult Append(LogicQueue queue, in MessageAppend message, int? mappingEpoch = null)
    {
        AppendResult result = _log.Append(queue, message, mappingEpoch);
        return !result.IsOk || message.IsAnnouncedLater || TryAnnounce() ? result : new AppendResult(AppendStatus.ServiceNotAvailable, 0, 0, 0, 0);
    }

    /// <summary>
    /// Writes what was appended, which then outlives the process, and has it dispatched, with SYNC_FLUSH once it is flushed. To be called by who
    /// has appended with <see cref="MessageAppend.IsAnnouncedLater"/>, before anybody is told that the messages are stored. Throws
    /// IOException: they are not.
    /// </summary>
    public void AnnounceAppended()
    {
        _log.Writer.WriteAppended();
        FollowWritten();
    }

    /// <summary>
    /// As <see cref="AnnounceAppended"/>, soon, and once for all who have asked for it by then.
    /// </summary>
    /// <param name="done">
    /// Called once, on the thread that does it, when all is written or with what that failed with; it has to be short, and must not throw.
    /// </param>
    /// <param name="here">On the calling thread and at once, where nobody is at it; otherwise a thread of the pool does it.</param>
    public void AnnounceAppendedSoon(Action<Exception?> done, bool here = false) => _announcing.Add(done, here);

    /// <summary>
    /// As <see cref="AnnounceAppended"/>, by who tells nobody before <see cref="WaitForFlush"/> is over: with SYNC_FLUSH one write and one flush
    /// then do for all that came while the one before was under way.
    /// </summary>
    public void FlushAppended()
    {
        if (FlushDiskType == FlushDiskType.SyncFlush)
        {
            _flusher.OnAppended();
        }
        else
        {
            AnnounceAppended();
        }
    }

    /// <summary>
    /// Appends all messages of a batch body (<see cref="BatchBodyReader"/>) or none. Flag, body and properties are each
    /// message's own, everything else is <paramref name="common"/>'s, whose properties follow each message's.
    /// <paramref name="physicalOffsets"/> is filled with where each stands, if it is given.
    /// </summary>
    public AppendBatchResult AppendBatch(
        LogicQueue queue,
        in MessageAppend common,
        ReadOnlySequence<byte> batchBody,
        List<long>? physicalOffsets = null,
        int? mappingEpoch = null)
    {
        AppendBatchResult result = _log.AppendBatch(queue, common, batchBody, physicalOffsets, mappingEpoch);
        return !result.IsOk || common.IsAnnouncedLater || TryAnnounce() ? result : new AppendBatchResult(AppendStatus.ServiceNotAvailable, 0, 0, 0, 0, 0);
    }

    /// <summary>By which rules queues are chosen now: what was chosen by others is refused, see <see cref="Cut"/>.</summary>
    public int MappingEpoch => _log.MappingEpoch;

    /// <summary>
    /// Changes by which rules messages choose their queues, at one point of the log: nothing is appended while <paramref name="change"/>
    /// runs, which is told the epoch that begins and the queues' ends. Messages below those ends were stored by the rules of before,
    /// and none at or above them will be: an append that names another epoch is refused
    /// (<see cref="AppendStatus.MappingChanged"/>). When <paramref name="change"/> throws, nothing has changed. It has to be short.
    /// </summary>
    public void Cut(IReadOnlyList<LogicQueue> queues, Action<int, long[]> change) => _log.Cut(queues, change);

    /// <summary>
    /// Completes when everything below <paramref name="endOffset"/> (<see cref="AppendResult.EndOffset"/>) is on disk; at once
    /// with ASYNC_FLUSH. To be awaited once.
    /// </summary>
    public ValueTask<FlushStatus> WaitForFlushAsync(long endOffset) => _flusher.WaitAsync(endOffset);

    /// <summary>As <see cref="WaitForFlushAsync"/>, for who keeps its waiters.</summary>
    /// <returns>Null where <paramref name="waiter"/> will be told, or was already; else how it ended, and it is not.</returns>
    public FlushStatus? WaitForFlush(long endOffset, FlushWaiter waiter) => _flusher.Wait(endOffset, waiter);

    /// <summary>Whether nobody has to wait for what stands below <paramref name="endOffset"/>: it is on disk, or with ASYNC_FLUSH.</summary>
    public bool IsFlushed(long endOffset) => _flusher.IsFlushed(endOffset);

    /// <summary>
    /// Reads messages of a queue from an offset on: at most so many and (but for the first) so many bytes.
    /// <paramref name="result"/> is cleared first; it also tells where to read next. Throws IOException if the queue cannot be
    /// read just now: what is there is there still.
    /// </summary>
    /// <param name="endOffset">Messages from here on are taken not to be there.</param>
    public ReadStatus Read(
        LogicQueue queue,
        long queueOffset,
        int maxCount,
        int maxBytes,
        IMessageFilter? filter,
        MessageSlices result,
        long endOffset = long.MaxValue)
    {
        result.Clear();
        ReadStatus status = _reader.Read(queue, queueOffset, maxCount, maxBytes, filter, result, endOffset);
        Statistics.OnRead(result.Count);
        return status;
    }

    /// <summary>
    /// Whether the message at a queue offset can be read and is so near the end of the log that it is taken to be in memory.
    /// </summary>
    public bool IsInMemory(LogicQueue queue, long queueOffset) =>
        queue.TryGetEntry(queueOffset, out ConsumeQueueEntry entry) && !entry.IsBlank && _reader.IsInMemory(entry.PhysicalOffset);

    /// <summary>Reads the record at a physical offset; false if no whole record begins there. Clears the slices first.</summary>
    public bool TryReadMessage(long physicalOffset, MessageSlices result)
    {
        result.Clear();
        return _logReader.TryReadAt(physicalOffset, result);
    }

    /// <summary>The queue offset for a store time (ms); between the queue's min and max offset.</summary>
    public long OffsetByTime(LogicQueue queue, long timestampMs, BoundaryType boundary) =>
        TimeSearch.Find(queue, _logReader, timestampMs, boundary);

    /// <summary>When the message at a queue offset was stored, ms; -1 if there is none.</summary>
    public long StoreTimestampOf(LogicQueue queue, long queueOffset) =>
        queue.TryGetEntry(queueOffset, out ConsumeQueueEntry entry) && !entry.IsBlank
            ? _logReader.StoreTimestampAt(entry.PhysicalOffset)
            : -1;

    /// <summary>When the record at a physical offset was stored, ms; -1 if there is none.</summary>
    public long StoreTimestampAt(long physicalOffset) => _logReader.StoreTimestampAt(physicalOffset);

    /// <summary>
    /// The queue offset that the next message will get. It can be beyond <see cref="LogicQueue.MaxOffset"/> by what the
    /// dispatcher has not come to yet.
    /// </summary>
    public long NextQueueOffset(LogicQueue queue) => _log.NextOffsetOf(queue);

    /// <summary>
    /// Finds messages by key (a word of KEYS, or the UNIQ_KEY) among those stored in a span of time (ms, inclusive). The index
    /// holds hashes only, so every hit is held against its message.
    /// </summary>
    public KeyQueryResult QueryByKey(string topic, string key, int maxCount, long beginMs, long endMs) =>
        _keyQuery.Find(topic, key, maxCount, beginMs, endMs);

    /// <summary>
    /// Removes all queues of a topic; its messages go with the log. Who holds one of the queues still and appends is refused
    /// (<see cref="AppendStatus.QueueRetired"/>), and begins a new queue by finding it again. Returns false if there was
    /// nothing of the topic. Throws IOException, and can then be called again.
    /// </summary>
    public bool DeleteTopic(string topic) => _parts.TopicRemoval.Remove(topic);

    /// <summary>Removes expired commit-log files now, whatever the hour. Returns how many. Throws IOException.</summary>
    public int RemoveExpiredFiles() => _parts.Cleaner.RunManually();

    /// <summary>Removes queue and index files of messages that are gone from the log. Throws IOException.</summary>
    public void RemoveExpiredQueueFiles() => _parts.Cleaner.RunOnQueues();

    /// <summary>Makes everything durable that was appended and dispatched so far, and takes a check point.</summary>
    public bool TakeCheckPoint() => _parts.CheckPointer.Take();

    /// <summary>Figures of the store for a broker's runtime info, under RocketMQ's names (getRuntimeInfo).</summary>
    public IDictionary<string, string> GetRuntimeInfo()
    {
        var info = new Dictionary<string, string>(StringComparer.Ordinal);
        Statistics.AddTo(info);
        double logRatio = _fileSystem.GetSpace(_options.CommitLogPath).UsedRatio;
        double queueRatio = _fileSystem.GetSpace(_options.RootDirectory).UsedRatio;
        info["commitLogDiskRatio"] = logRatio.ToString(CultureInfo.InvariantCulture);
        info["commitLogDiskRatio_" + _options.CommitLogPath] = logRatio.ToString(CultureInfo.InvariantCulture);
        info["consumeQueueDiskRatio"] = queueRatio.ToString(CultureInfo.InvariantCulture);
        info["commitLogMinOffset"] = MinPhysicalOffset.ToString(CultureInfo.InvariantCulture);
        info["commitLogMaxOffset"] = MaxPhysicalOffset.ToString(CultureInfo.InvariantCulture);
        info["dispatchBehindBytes"] = DispatchBehindBytes.ToString(CultureInfo.InvariantCulture);
        info["remainHowManyDataToFlush"] =
            (MaxPhysicalOffset - FlushedOffset).ToString(CultureInfo.InvariantCulture);
        return info;
    }

    /// <summary>
    /// Closes the store: refuses appends, dispatches and flushes what there is, takes the last check point. If all of that went
    /// well the abort file goes, and the next start has nothing to recover.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            return new ValueTask(Task.Run(_parts.Dispose));
        }

        return ValueTask.CompletedTask;
    }

    private void FollowWritten()
    {
        if (FlushDiskType == FlushDiskType.SyncFlush)
        {
            _flusher.OnAppended();
        }
        else
        {
            _dispatcher.FollowAppender();
        }
    }

    private bool TryAnnounce()
    {
        try
        {
            AnnounceAppended();
            return true;
        }
        catch (IOException)
        {
            // The log has said it.
            return false;
        }
    }
}
