namespace GrayMQ.Store.KeyValue;

/// <summary>
/// What a store may use. The defaults suit metadata of an idle broker: a few megabytes; RocksDB takes the memory only as
/// it is needed.
/// </summary>
public sealed record KeyValueStoreOptions
{
    /// <summary>Names of the families; those missing on disk are created, others on disk are opened and left alone.</summary>
    public required IReadOnlyList<string> Families { get; init; }

    /// <summary>A family's changes are kept in memory up to this size before they become a table file.</summary>
    public int WriteBufferBytes { get; init; } = 4 << 20;

    /// <summary>The same limit for all families together.</summary>
    public int TotalWriteBufferBytes { get; init; } = 16 << 20;

    /// <summary>Memory for blocks of table files, their indexes and filters included.</summary>
    public int BlockCacheBytes { get; init; } = 8 << 20;

    /// <summary>Log written since the last table file: bounds the disk it takes and the time of an opening.</summary>
    public int MaxTotalWalBytes { get; init; } = 32 << 20;

    /// <summary>Table files held open.</summary>
    public int MaxOpenFiles { get; init; } = 256;

    /// <summary>Threads that flush and compact.</summary>
    public int BackgroundJobs { get; init; } = 2;

    /// <exception cref="ArgumentException">A value cannot be used.</exception>
    internal void Validate()
    {
        if (Families.Count == 0 || Families.Distinct(StringComparer.Ordinal).Count() != Families.Count
            || Families.Any(string.IsNullOrWhiteSpace))
        {
            throw new ArgumentException("families have distinct names, and there is at least one", nameof(Families));
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(WriteBufferBytes, 64 << 10, nameof(WriteBufferBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(TotalWriteBufferBytes, WriteBufferBytes, nameof(TotalWriteBufferBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(BlockCacheBytes, 1 << 20, nameof(BlockCacheBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTotalWalBytes, WriteBufferBytes, nameof(MaxTotalWalBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOpenFiles, 32, nameof(MaxOpenFiles));
        ArgumentOutOfRangeException.ThrowIfLessThan(BackgroundJobs, 1, nameof(BackgroundJobs));
    }
}
