using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Indexes;
using GrayMQ.Store.Recovering;
using GrayMQ.Store.Retention;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store;

/// <summary>What a <see cref="MessageStore"/> is made of: put together, recovered, started and closed, each in the order that the parts need.</summary>
internal sealed class StoreParts : IDisposable
{
    private readonly StoreOptions _options;
    private readonly IStoreFileSystem _fileSystem;
    private readonly ILogger _logger;
    private readonly StoreLock? _ownLock;
    private readonly LogView _logView;
    private readonly MessageDispatch _dispatch;
    private readonly CheckPointFiles _checkPointFiles;
    private readonly Housekeeper _housekeeper;

    /// <param name="ownLock">Released when all is closed; null where the caller holds one.</param>
    /// <exception cref="InvalidDataException">The store was written with other file sizes.</exception>
    /// <exception cref="IOException">The disk fails.</exception>
    public StoreParts(
        StoreOptions options,
        IStoreFileSystem fileSystem,
        TimeProvider time,
        ILogger logger,
        IArrivalListener arrivals,
        ITagsCodeRule? tagsCodes,
        IReadOnlyList<ILogFollower> followers,
        StoreLock? ownLock)
    {
        _options = options;
        _fileSystem = fileSystem;
        _logger = logger;
        _ownLock = ownLock;
        Flags = new RunningFlags();
        Statistics = new StoreStatistics(time);
        var storage = new ConsumeQueueStorage(options, fileSystem, time, logger);
        var logFollowers = new LogFollowers(followers, logger);
        Queues = new QueueTable(storage, logFollowers);
        Index = new KeyIndex(options, fileSystem, time, logger);
        var files = new CommitLogFiles(options, fileSystem, logger);
        CommitLog = new CommitLog(options, files, Flags, Statistics, time, logger);
        LogReader = new CommitLogReader(options, CommitLog, logger);
        _logView = new LogView(CommitLog, files);
        logFollowers.OnOpening(_logView);
        _dispatch = new MessageDispatch(options, Queues, Index, logFollowers, tagsCodes, logger);
        Dispatcher = new Dispatcher(options, CommitLog, _dispatch, arrivals, time, logger);
        Flusher = new Flusher(options, CommitLog, Flags, time, logger);
        CommitLog.Writer.Flushed += _ => Dispatcher.FollowFlusher();
        _checkPointFiles = new CheckPointFiles(options, fileSystem);
        CheckPointer = new CheckPointer(options, fileSystem, CommitLog, _dispatch, Dispatcher, _checkPointFiles, time, logger);
        Cleaner = new Cleaner(options, fileSystem, CommitLog, LogReader, _dispatch, Dispatcher, Flags, time, logger);
        TopicRemoval = new TopicRemoval(options, fileSystem, CommitLog, _dispatch, Dispatcher, CheckPointer, time, logger);
        _housekeeper = new Housekeeper(options, CheckPointer, Cleaner, Statistics, time, logger);
        Recover(storage, files);
        TopicRemoval.Sweep();
    }

    public StoreStatistics Statistics { get; }

    public RunningFlags Flags { get; }

    public QueueTable Queues { get; }

    public KeyIndex Index { get; }

    public CommitLog CommitLog { get; }

    public CommitLogReader LogReader { get; }

    public Dispatcher Dispatcher { get; }

    public Flusher Flusher { get; }

    public CheckPointer CheckPointer { get; }

    public Cleaner Cleaner { get; }

    public TopicRemoval TopicRemoval { get; }

    /// <summary>Where the log ended when the store was opened.</summary>
    public long OpenedAtOffset { get; private set; }

    private string AbortPath => Path.Combine(_options.RootDirectory, "abort");

    /// <summary>Starts the threads that flush, dispatch and clean.</summary>
    public void Start()
    {
        Dispatcher.Start();
        Flusher.Start();
        _housekeeper.Start();
    }

    /// <inheritdoc cref="MessageStore.DisposeAsync"/>
    public void Dispose()
    {
        Flags.SetClosing();
        CommitLog.Quiesce();
        _housekeeper.Stop();
        Flusher.Stop();
        Dispatcher.Stop();
        bool whole = !Flags.FlushFailed
            && Dispatcher.Offset >= CommitLog.AppendedOffset
            && CheckPointer.Take();
        if (whole)
        {
            _fileSystem.Delete(AbortPath);
            _fileSystem.SyncDirectory(_options.RootDirectory);
            Log.StoreClosed(_logger, _options.RootDirectory, CommitLog.MaxOffset);
        }
        else
        {
            Log.StoreClosedUncleanly(
                _logger,
                _options.RootDirectory,
                Flags.FlushFailed ? "a flush failed" : "not everything could be dispatched or made durable");
        }

        Release();
    }

    private void Recover(ConsumeQueueStorage storage, CommitLogFiles files)
    {
        long startedAt = Stopwatch.GetTimestamp();
        bool clean = !_fileSystem.FileExists(AbortPath);
        RecoveryResult recovered;
        try
        {
            recovered = new StoreRecovery(_options, _fileSystem, files, storage, _dispatch, _checkPointFiles, _logView, _logger)
                .Recover(clean);
            _fileSystem.CreateDirectory(_options.ConsumeQueuePath);
            using IStoreFile abort = _fileSystem.Open(AbortPath, create: true);
            abort.Write(0, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            abort.Flush();
            _fileSystem.SyncDirectory(_options.RootDirectory);
        }
        catch
        {
            Release();
            throw;
        }

        OpenedAtOffset = recovered.End;
        CommitLog.SetEnd(recovered.End, recovered.Start, recovered.TailReserved);
        Cleaner.SetTrimmed(CommitLog.MinOffset);
        Dispatcher.SetOffset(recovered.Dispatched, recovered.LastRecordOffset, recovered.LastStoreTimestampMs);
        Log.StoreOpened(
            _logger,
            (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds,
            _options.RootDirectory,
            CommitLog.MinOffset,
            CommitLog.MaxOffset,
            Queues.All.Count(),
            clean);
        if (_checkPointFiles.FileSizes != StoreFileSizes.Of(_options))
        {
            // From the first file on it is written down how large files are.
            CheckPointer.Take();
        }
    }

    private void Release()
    {
        // Who was about to dispatch when the dispatcher was stopped, after a failure, may only be through now.
        lock (_dispatch.Lock)
        {
            foreach (LogicQueue queue in Queues.All)
            {
                queue.Unmap();
            }
        }

        Index.Dispose();
        CommitLog.Dispose();
        _checkPointFiles.Dispose();
        Dispatcher.Dispose();
        Flusher.Dispose();
        _housekeeper.Dispose();
        _ownLock?.Dispose();
    }
}
