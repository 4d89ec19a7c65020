using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.States;

/// <summary>
/// What a broker knows of messages beyond their bytes, in RocksDB in <c>{storePathRootDir}/state</c>: what is pending, in hand or
/// prepared. One database for all capabilities, each with families of its own, because every database has its price in memory.
/// <code>
/// family     key                     value
/// timers, timerCounts                pending messages: see <see cref="Store.Timers.TimerStore"/>
/// progress   name of a follower      physical offset, 8 bytes big endian: what lies below in the log is in the follower's families
/// pops, popOffsets, popOrders        see PopCodec
/// halves                             see HalfMessageCodec
/// gray                               see GrayStore
/// </code>
/// </summary>
internal sealed class StateStore : IDisposable
{
    /// <summary>Directory of the database within the store's root.</summary>
    public const string DirectoryName = "state";

    private const int WriteBufferBytes = 8 << 20;
    private const int TotalWriteBufferBytes = 32 << 20;
    private const int BlockCacheBytes = 16 << 20;
    private const int MaxTotalWalBytes = 64 << 20;

    private StateStore(KeyValueStore values)
    {
        Values = values;
        Progress = values.GetFamily("progress");
        Halves = values.GetFamily("halves");
        Timers = values.GetFamily("timers");
        TimerCounts = values.GetFamily("timerCounts");
        Gray = values.GetFamily("gray");
    }

    public KeyValueStore Values { get; }

    /// <summary>How far each follower of the log has come (<see cref="Store.Dispatching.ILogFollower.AppliedOffset"/>).</summary>
    public KeyFamily Progress { get; }

    /// <summary>For transactions that have not ended.</summary>
    public KeyFamily Halves { get; }

    public KeyFamily Timers { get; }

    public KeyFamily TimerCounts { get; }

    /// <summary>For gray releases: the state that is acted on, and who owns which queue.</summary>
    public KeyFamily Gray { get; }

    /// <exception cref="KeyValueStoreException">The database is damaged, open elsewhere, or not accessible.</exception>
    public static StateStore Open(string rootDirectory) => new(KeyValueStore.Open(
        Path.Combine(rootDirectory, DirectoryName),
        new KeyValueStoreOptions
        {
            Families = ["progress", "halves", "timers", "timerCounts", "gray", .. PopStore.Families],
            WriteBufferBytes = WriteBufferBytes,
            TotalWriteBufferBytes = TotalWriteBufferBytes,
            BlockCacheBytes = BlockCacheBytes,
            MaxTotalWalBytes = MaxTotalWalBytes,
        }));

    public void Dispose() => Values.Dispose();
}
