using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Flushing;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Dispatching;

/// <summary>
/// Follows the commit log and dispatches every message: queue, index, listener. One thread follows at a time: mostly the one that has
/// just appended or, with SYNC_FLUSH, flushed, whose caches hold the message and which needs not wake anybody; when more is there than
/// such a thread should be kept for, the dispatcher's own. With SYNC_FLUSH it stays behind the flush, so that no consumer sees what a
/// power failure could take back.
/// </summary>
internal sealed class Dispatcher : IDisposable
{
    // Messages dispatched under one hold of the lock: others that need it wait no longer than this.
    private const int BatchMessages = 64;

    // An appender has requests to answer, the flusher has others to wait for: what is left after so many batches is the dispatcher's own thread's.
    private const int MaxAppenderBatches = 8;
    private const int MaxFlusherBatches = 2;

    // Looks again so often before sleeping: under load the next message is there by then, and no wake-up has to be paid.
    private const int YieldsBeforeSleep = 8;

    private readonly StoreOptions _options;
    private readonly CommitLog _log;
    private readonly MessageDispatch _dispatch;
    private readonly IArrivalListener _arrivals;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _signal = new();
    private readonly Thread _thread;
    private volatile bool _stopping;
    private volatile bool _retryPassed;
    private volatile bool _failing;
    private int _following;
    private long _offset;

    public Dispatcher(
        StoreOptions options,
        CommitLog log,
        MessageDispatch dispatch,
        IArrivalListener arrivals,
        TimeProvider time,
        ILogger logger)
    {
        _options = options;
        _log = log;
        _dispatch = dispatch;
        _arrivals = arrivals;
        _time = time;
        _logger = logger;
        _thread = new Thread(Run) { Name = "store-dispatch", IsBackground = true };
    }

    /// <summary>Everything below is in queues and index.</summary>
    public long Offset => Volatile.Read(ref _offset);

    /// <summary>Where the last dispatched record begins, -1 for none, and when it was stored; under the dispatch lock.</summary>
    public long LastRecordOffset { get; private set; } = -1;

    public long LastStoreTimestampMs { get; private set; }

    /// <summary>Sets where to go on, after recovery.</summary>
    public void SetOffset(long offset, long lastRecordOffset, long lastStoreTimestampMs)
    {
        Volatile.Write(ref _offset, offset);
        LastRecordOffset = lastRecordOffset;
        LastStoreTimestampMs = lastStoreTimestampMs;
    }

    public void Start() => _thread.Start();

    /// <summary>Something new can be dispatched.</summary>
    public void Wake() => _signal.Wake();

    /// <summary>Something was appended: dispatches it on the calling thread, unless another one is at it, which then finds it before it leaves.</summary>
    public void FollowAppender() => Follow(MaxAppenderBatches);

    /// <summary>Something was flushed: likewise.</summary>
    public void FollowFlusher() => Follow(MaxFlusherBatches);

    /// <summary>Stops the thread, once it has dispatched what can be.</summary>
    public void Stop()
    {
        _stopping = true;
        _signal.Wake();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    public void Dispose() => _signal.Dispose();

    private long Limit => _options.FlushDiskType == FlushDiskType.SyncFlush ? _log.FlushedOffset : _log.MaxOffset;

    private void Follow(int batches)
    {
        for (int batch = 0; batch < batches && !_failing; batch++)
        {
            if (!TryFollow() || Offset >= Limit)
            {
                return;
            }
        }

        _signal.Wake();
    }

    private void Run()
    {
        int yields = 0;
        while (true)
        {
            if (!_failing && Offset < Limit)
            {
                yields = 0;
                if (!TryFollow())
                {
                    // An appender is at it, and will be done in a moment.
                    Thread.Yield();
                }

                continue;
            }

            if (_failing && _retryPassed)
            {
                _retryPassed = false;
                _failing = false;
                continue;
            }

            if (_stopping)
            {
                return;
            }

            if (!_failing && yields++ < YieldsBeforeSleep)
            {
                Thread.Yield();
                continue;
            }

            yields = 0;
            _signal.PrepareToSleep();
            if (_stopping || _retryPassed || (!_failing && Offset < Limit))
            {
                _signal.StayAwake();
                continue;
            }

            _signal.Sleep();
        }
    }

    // Dispatches a batch unless another thread is at it. Both the append and the way out of here are full fences: either this
    // thread sees what was appended meanwhile, or its appender sees that nobody follows.
    private bool TryFollow()
    {
        if (Interlocked.CompareExchange(ref _following, 1, 0) != 0)
        {
            return false;
        }

        try
        {
            TryDispatchBatch();
        }
        finally
        {
            Interlocked.Exchange(ref _following, 0);
        }

        return true;
    }

    private void TryDispatchBatch()
    {
        try
        {
            lock (_dispatch.Lock)
            {
                DispatchBatch(Limit);
            }

            return;
        }
        catch (IOException e)
        {
            Log.DispatchFailed(_logger, e, _offset);
        }
        catch (Exception e)
        {
            Log.ThreadFailed(_logger, e, "dispatch");
        }

        // No room for a queue or an index file, most likely: the message is not passed over, but tried again.
        _failing = true;
        _ = RetryLaterAsync();
    }

    private async Task RetryLaterAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(1), _time).ConfigureAwait(false);
        _retryPassed = true;
        _signal.Wake();
    }

    private void DispatchBatch(long limit)
    {
        if (_offset >= limit)
        {
            return;
        }

        CommitLogFile? file = _log.Files.Find(_offset);
        if (file is null || !file.Memory.TryLease())
        {
            // Retention was faster, or the file was lost.
            SkipFile(limit);
            return;
        }

        try
        {
            for (int i = 0; i < BatchMessages && _offset < limit && _offset < file.EndOffset; i++)
            {
                int position = (int)(_offset - file.BaseOffset);
                int available = (int)Math.Min(file.Length - position, limit - _offset);
                StoredMessageStatus status = StoredMessage.Read(file.Memory.Span(position, available), out StoredMessage message);
                if (status != StoredMessageStatus.Message)
                {
                    if (status != StoredMessageStatus.Blank)
                    {
                        Log.DispatchMetDamage(_logger, _offset, status);
                    }

                    SkipFile(limit);
                    return;
                }

                DispatchOne(message);
                LastRecordOffset = _offset;
                LastStoreTimestampMs = message.StoreTimestampMs;
                Volatile.Write(ref _offset, _offset + message.TotalSize);
            }
        }
        finally
        {
            file.Memory.Release();
        }
    }

    private void DispatchOne(in StoredMessage message)
    {
        LogicQueue? queue = _dispatch.Dispatch(message, out long tagsCode);
        if (queue is null)
        {
            return;
        }

        try
        {
            _arrivals.OnArrived(queue, message.QueueOffset, tagsCode, message);
        }
        catch (Exception e)
        {
            Log.ArrivalListenerFailed(_logger, e, queue.Topic, queue.QueueId);
        }
    }

    // To the next file, but never beyond the limit: what is written there later is whole again, and has to be dispatched.
    private void SkipFile(long limit)
    {
        long fileBytes = _log.Files.FileBytes;
        Volatile.Write(ref _offset, Math.Min(_offset - (_offset % fileBytes) + fileBytes, limit));
    }
}
