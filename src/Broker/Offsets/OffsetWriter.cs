using System.Collections.Concurrent;
using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// Brings changed offsets to the database: soon after a change in one batch with whatever changed as well, and at once for
/// those who wait. Only changes cost anything; an idle broker writes nothing.
/// </summary>
internal sealed class OffsetWriter : IDisposable
{
    /// <summary>Groups and topics in one batch.</summary>
    private const int MaxBatch = 4096;

    // A disk that refuses to write is not asked more often.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<ConsumerOffsets> _changed = new();
    private readonly List<(ConsumerOffsets Offsets, long ChangeCount)> _writing = [];
    private readonly Lock _writes = new();
    private readonly MetadataStore _store;
    private readonly Func<DataVersion> _version;
    private readonly ILogger _logger;
    private readonly KeyValueBatch _batch;
    private readonly ITimer _writeTimer;
    private readonly ITimer _syncTimer;
    private readonly TimeSpan _writeDelay;
    private readonly TimeSpan _syncDelay;
    private byte[] _buffer = new byte[256];
    private DataVersion _writtenVersion;
    private int _writeIsDue;
    private int _syncIsDue;
    private bool _closed;

    public OffsetWriter(
        MetadataStore store, OffsetOptions options, Func<DataVersion> version, TimeProvider time, ILogger logger)
    {
        _store = store;
        _version = version;
        _logger = logger;
        _batch = store.Values.NewBatch();
        _writtenVersion = version();
        _writeDelay = TimeSpan.FromMilliseconds(options.WriteIntervalMs);
        _syncDelay = TimeSpan.FromMilliseconds(options.FlushConsumerOffsetInterval);
        _writeTimer = time.CreateTimer(
            static writer => ((OffsetWriter)writer!).WriteInBackground(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _syncTimer = time.CreateTimer(
            static writer => ((OffsetWriter)writer!).SyncInBackground(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Called before offsets are brought to the disk, while none are written: what they were moved past, and stands in another database,
    /// has to be there before.
    /// </summary>
    public Action? BeforeSync { get; set; }

    /// <summary>Writes these offsets soon.</summary>
    public void Enlist(ConsumerOffsets offsets)
    {
        _changed.Enqueue(offsets);
        if (Interlocked.Exchange(ref _writeIsDue, 1) == 0)
        {
            _writeTimer.Change(_writeDelay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Returns when everything that was enlisted before is in the database.</summary>
    /// <exception cref="KeyValueStoreException">It cannot be written; it stays enlisted.</exception>
    public void Write()
    {
        lock (_writes)
        {
            WriteLocked();
        }
    }

    /// <summary>
    /// As <see cref="Write()"/>, for these offsets even if whoever changed them has not come to enlist them: their commit may
    /// already have been told.
    /// </summary>
    /// <exception cref="KeyValueStoreException">It cannot be written; it stays enlisted.</exception>
    public void Write(ConsumerOffsets offsets)
    {
        lock (_writes)
        {
            _changed.Enqueue(offsets);
            WriteLocked();
        }
    }

    /// <summary>
    /// Deletes offsets from the disk, then calls <paramref name="forget"/> to do so in memory; nothing is written in between.
    /// </summary>
    public void Delete(IReadOnlyCollection<ConsumerOffsets> offsets, Action forget)
    {
        lock (_writes)
        {
            _batch.Clear();
            foreach (ConsumerOffsets item in offsets)
            {
                _batch.Delete(_store.ConsumerOffsets, item.Key);
            }

            _store.Values.Write(_batch, sync: true);
            forget();
        }
    }

    /// <summary>Brings everything to the disk and writes no more.</summary>
    public void Dispose()
    {
        lock (_writes)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            _writeTimer.Dispose();
            _syncTimer.Dispose();
            try
            {
                WriteLocked();
                _store.Values.Sync();
            }
            finally
            {
                _batch.Dispose();
            }
        }
    }

    private void WriteLocked()
    {
        // Whoever enlists from here on makes the timer due again.
        Volatile.Write(ref _writeIsDue, 0);
        while (true)
        {
            _batch.Clear();
            _writing.Clear();
            while (_writing.Count < MaxBatch && _changed.TryDequeue(out ConsumerOffsets? offsets))
            {
                if (offsets.TryEncode(ref _buffer, out int length, out long changeCount))
                {
                    _batch.Put(_store.ConsumerOffsets, offsets.Key, _buffer.AsSpan(0, length));
                    _writing.Add((offsets, changeCount));
                }
            }

            DataVersion version = _version();
            if (version != _writtenVersion)
            {
                _store.PutVersion(_batch, ConsumerOffsetTable.VersionName, version);
            }

            if (_batch.Count == 0)
            {
                return;
            }

            try
            {
                _store.Values.Write(_batch);
            }
            catch (KeyValueStoreException)
            {
                foreach ((ConsumerOffsets offsets, _) in _writing)
                {
                    if (offsets.NotWritten())
                    {
                        _changed.Enqueue(offsets);
                    }
                }

                Volatile.Write(ref _writeIsDue, 1);
                _writeTimer.Change(RetryDelay, Timeout.InfiniteTimeSpan);
                throw;
            }

            _writtenVersion = version;
            foreach ((ConsumerOffsets offsets, long changeCount) in _writing)
            {
                offsets.Written(changeCount);
            }

            if (Interlocked.Exchange(ref _syncIsDue, 1) == 0 && !_closed)
            {
                _syncTimer.Change(_syncDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void WriteInBackground()
    {
        lock (_writes)
        {
            if (_closed)
            {
                return;
            }

            try
            {
                WriteLocked();
            }
            catch (KeyValueStoreException error)
            {
                Log.OffsetsNotWritten(_logger, error, _changed.Count);
            }
        }
    }

    private void SyncInBackground()
    {
        Volatile.Write(ref _syncIsDue, 0);
        try
        {
            if (BeforeSync is null)
            {
                _store.Values.Sync();
                return;
            }

            lock (_writes)
            {
                BeforeSync();
                _store.Values.Sync();
            }
        }
        catch (KeyValueStoreException error)
        {
            Log.OffsetsNotSynced(_logger, error);
        }
        catch (ObjectDisposedException)
        {
            // The database was closed between the timer and here, which synced it.
        }
    }
}
