namespace GrayMQ.Store.CheckPoints;

/// <summary>The file sizes that a store is written with, in bytes; 0 where nothing says so.</summary>
internal readonly record struct StoreFileSizes(int CommitLogFileBytes, int ConsumeQueueFileBytes)
{
    /// <summary>What the settings say.</summary>
    public static StoreFileSizes Of(StoreOptions options) => new(options.CommitLogFileBytes, options.AlignedConsumeQueueFileBytes);
}
