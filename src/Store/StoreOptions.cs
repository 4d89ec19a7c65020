using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store;

/// <summary>When an append counts as stored (RocketMQ: FlushDiskType).</summary>
public enum FlushDiskType
{
    /// <summary>Acknowledged from the page cache, flushed every <see cref="StoreOptions.FlushIntervalMs"/>.</summary>
    AsyncFlush,

    /// <summary>Acknowledged once it is on disk; appends share flushes (group commit).</summary>
    SyncFlush,
}

/// <summary>Settings of a <see cref="MessageStore"/>. The RocketMQ key of each stands in its comment, defaults are RocketMQ's unless noted.</summary>
public sealed record StoreOptions
{
    /// <summary><c>storePathRootDir</c>.</summary>
    public required string RootDirectory { get; init; }

    /// <summary><c>storePathCommitLog</c>; null for <c>commitlog</c> in the root.</summary>
    public string? CommitLogDirectory { get; init; }

    /// <summary><c>mappedFileSizeCommitLog</c>: bytes of a commit-log file; has to be what an existing store was written with.</summary>
    public int CommitLogFileBytes { get; init; } = 1024 * 1024 * 1024;

    /// <summary><c>mappedFileSizeConsumeQueue</c>: bytes of a consume-queue file; rounded up to whole entries, as RocketMQ does.</summary>
    public int ConsumeQueueFileBytes { get; init; } = 300_000 * ConsumeQueueEntry.Bytes;

    /// <summary><c>flushDiskType</c>; the default differs from RocketMQ's: acknowledged means on disk.</summary>
    public FlushDiskType FlushDiskType { get; init; } = FlushDiskType.SyncFlush;

    /// <summary><c>flushIntervalCommitLog</c>: how often ASYNC_FLUSH flushes.</summary>
    public int FlushIntervalMs { get; init; } = 500;

    /// <summary><c>flushCommitLogLeastPages</c>: an interval with fewer dirty pages (of 4 KiB) is left to the next.</summary>
    public int FlushLeastPages { get; init; } = 4;

    /// <summary><c>flushCommitLogThoroughInterval</c>: after this long even a single byte is flushed.</summary>
    public int FlushThoroughIntervalMs { get; init; } = 10_000;

    /// <summary><c>syncFlushTimeout</c>: how long an append waits for its flush.</summary>
    public int SyncFlushTimeoutMs { get; init; } = 5_000;

    /// <summary>How often queues, index and the check point are made durable; what lies behind it is not read at the next start.</summary>
    public int CheckPointIntervalMs { get; init; } = 3_000;

    /// <summary><c>messageIndexEnable</c>.</summary>
    public bool MessageIndexEnable { get; init; } = true;

    /// <summary><c>maxHashSlotNum</c>: slots of an index file.</summary>
    public int MaxHashSlots { get; init; } = 5_000_000;

    /// <summary><c>maxIndexNum</c>: entries of an index file.</summary>
    public int MaxIndexEntries { get; init; } = 20_000_000;

    /// <summary><c>maxMsgsNumBatch</c>: the most messages that a query by key returns.</summary>
    public int MaxQueryCount { get; init; } = 64;

    /// <summary><c>maxMessageSize</c>: bytes of a body, or of a whole batch.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary><c>maxFilterMessageSize</c>: bytes of consume-queue entries that one read looks at.</summary>
    public int MaxFilterBytes { get; init; } = 16_000;

    /// <summary><c>maxTransferBytesOnMessageInMemory</c>.</summary>
    public int MaxTransferBytesInMemory { get; init; } = 256 * 1024;

    /// <summary><c>maxTransferCountOnMessageInMemory</c>.</summary>
    public int MaxTransferCountInMemory { get; init; } = 32;

    /// <summary><c>maxTransferBytesOnMessageInDisk</c>.</summary>
    public int MaxTransferBytesOnDisk { get; init; } = 64 * 1024;

    /// <summary><c>maxTransferCountOnMessageInDisk</c>.</summary>
    public int MaxTransferCountOnDisk { get; init; } = 8;

    /// <summary><c>accessMessageInMemoryMaxRatio</c>: percent of the machine's memory taken to hold the end of the log.</summary>
    public int AccessInMemoryMaxRatio { get; init; } = 40;

    /// <summary><c>fileReservedTime</c>, hours.</summary>
    public int FileReservedHours { get; init; } = 72;

    /// <summary><c>deleteWhen</c>: hours of the day (local time) in which expired files go, separated by semicolons.</summary>
    public string DeleteWhen { get; init; } = "04";

    /// <summary><c>diskMaxUsedSpaceRatio</c>, percent: above it expired files go at once.</summary>
    public int DiskMaxUsedSpaceRatio { get; init; } = 75;

    /// <summary><c>diskSpaceCleanForciblyRatio</c>, percent (held within 30 to 85): above it the oldest files go, expired or not.</summary>
    public int DiskSpaceCleanForciblyRatio { get; init; } = 85;

    /// <summary><c>diskSpaceWarningLevelRatio</c>, percent (held within 35 to 90): above it appends are refused as well.</summary>
    public int DiskSpaceWarningLevelRatio { get; init; } = 90;

    /// <summary><c>cleanFileForciblyEnable</c>.</summary>
    public bool CleanFileForciblyEnable { get; init; } = true;

    /// <summary><c>deleteFileBatchMax</c>: the most commit-log files that go at a time.</summary>
    public int DeleteFileBatchMax { get; init; } = 10;

    /// <summary><c>cleanResourceInterval</c>.</summary>
    public int CleanIntervalMs { get; init; } = 10_000;

    /// <summary>Consume-queue files that nobody touched for so long are unmapped (RocketMQ swaps them: logicQueueSwapMapInterval).</summary>
    public int IdleUnmapMs { get; init; } = 60_000;

    /// <summary><c>checkCRCOnRecover</c>.</summary>
    public bool CheckCrcOnRecover { get; init; } = true;

    /// <summary>
    /// Checks the CRC of every body that is read: a consumer gets no damaged message (RocketMQ leaves that to clients, which do
    /// not by default). Some 50 ns for 1 KiB.
    /// </summary>
    public bool CheckCrcOnRead { get; init; } = true;

    internal string CommitLogPath => CommitLogDirectory ?? Path.Combine(RootDirectory, "commitlog");

    internal string ConsumeQueuePath => Path.Combine(RootDirectory, "consumequeue");

    internal string IndexPath => Path.Combine(RootDirectory, "index");

    internal string AnswersPath => Path.Combine(RootDirectory, "graymq.answers");

    internal int ConsumeQueueFileEntries =>
        (ConsumeQueueFileBytes + ConsumeQueueEntry.Bytes - 1) / ConsumeQueueEntry.Bytes;

    internal int AlignedConsumeQueueFileBytes => ConsumeQueueFileEntries * ConsumeQueueEntry.Bytes;

    internal long IndexFileBytes =>
        Indexes.IndexFile.HeaderBytes + ((long)MaxHashSlots * Indexes.IndexFile.SlotBytes)
        + ((long)MaxIndexEntries * Indexes.IndexFile.EntryBytes);

    /// <summary>Whether a text can be <see cref="DeleteWhen"/>: hours from 00 to 23, separated by ';'.</summary>
    public static bool IsDeleteWhen(string text) => ParseHours(text) is { Length: > 0 } hours && !hours.Contains(-1);

    /// <summary>The hours of <see cref="DeleteWhen"/>.</summary>
    internal int[] DeleteHours() => ParseHours(DeleteWhen);

    // -1 stands for what is no hour.
    private static int[] ParseHours(string text)
    {
        string[] parts = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int[] hours = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            hours[i] = int.TryParse(parts[i], out int hour) && hour is >= 0 and <= 23 ? hour : -1;
        }

        return hours;
    }

    /// <summary>Throws <see cref="ArgumentException"/> that names every setting which cannot be.</summary>
    public void Validate()
    {
        var errors = new List<string>();
        Require(!string.IsNullOrWhiteSpace(RootDirectory), "storePathRootDir must name a directory");
        Require(CommitLogFileBytes >= 4096, $"mappedFileSizeCommitLog must be at least 4096, is {CommitLogFileBytes}");
        Require(
            ConsumeQueueFileBytes is >= ConsumeQueueEntry.Bytes and <= 1_000_000_000,
            $"mappedFileSizeConsumeQueue must be from {ConsumeQueueEntry.Bytes} to 1000000000, is {ConsumeQueueFileBytes}");
        Require(MaxMessageBytes >= 1, $"maxMessageSize must be positive, is {MaxMessageBytes}");
        Require(FlushIntervalMs >= 1, $"flushIntervalCommitLog must be positive, is {FlushIntervalMs}");
        Require(FlushLeastPages >= 0, $"flushCommitLogLeastPages must not be negative, is {FlushLeastPages}");
        Require(FlushThoroughIntervalMs >= 1, $"flushCommitLogThoroughInterval must be positive, is {FlushThoroughIntervalMs}");
        Require(SyncFlushTimeoutMs >= 1, $"syncFlushTimeout must be positive, is {SyncFlushTimeoutMs}");
        Require(CheckPointIntervalMs >= 1, $"the check point interval must be positive, is {CheckPointIntervalMs}");
        Require(MaxHashSlots >= 1, $"maxHashSlotNum must be positive, is {MaxHashSlots}");
        Require(MaxIndexEntries >= 2, $"maxIndexNum must be at least 2, is {MaxIndexEntries}");
        Require(
            IndexFileBytes <= int.MaxValue,
            $"maxHashSlotNum {MaxHashSlots} and maxIndexNum {MaxIndexEntries} make index files of more than 2 GiB");
        Require(MaxQueryCount >= 1, $"maxMsgsNumBatch must be positive, is {MaxQueryCount}");
        Require(MaxFilterBytes >= ConsumeQueueEntry.Bytes, $"maxFilterMessageSize must be at least {ConsumeQueueEntry.Bytes}, is {MaxFilterBytes}");
        Require(MaxTransferBytesInMemory >= 1, $"maxTransferBytesOnMessageInMemory must be positive, is {MaxTransferBytesInMemory}");
        Require(MaxTransferCountInMemory >= 1, $"maxTransferCountOnMessageInMemory must be positive, is {MaxTransferCountInMemory}");
        Require(MaxTransferBytesOnDisk >= 1, $"maxTransferBytesOnMessageInDisk must be positive, is {MaxTransferBytesOnDisk}");
        Require(MaxTransferCountOnDisk >= 1, $"maxTransferCountOnMessageInDisk must be positive, is {MaxTransferCountOnDisk}");
        Require(AccessInMemoryMaxRatio is >= 0 and <= 100, $"accessMessageInMemoryMaxRatio must be from 0 to 100, is {AccessInMemoryMaxRatio}");
        Require(FileReservedHours >= 0, $"fileReservedTime must not be negative, is {FileReservedHours}");
        Require(IsDeleteWhen(DeleteWhen), $"deleteWhen must list hours from 00 to 23 separated by ';', is '{DeleteWhen}'");
        Require(DiskMaxUsedSpaceRatio is >= 0 and <= 100, $"diskMaxUsedSpaceRatio must be from 0 to 100, is {DiskMaxUsedSpaceRatio}");
        Require(DiskSpaceCleanForciblyRatio is >= 0 and <= 100, $"diskSpaceCleanForciblyRatio must be from 0 to 100, is {DiskSpaceCleanForciblyRatio}");
        Require(DiskSpaceWarningLevelRatio is >= 0 and <= 100, $"diskSpaceWarningLevelRatio must be from 0 to 100, is {DiskSpaceWarningLevelRatio}");
        Require(DeleteFileBatchMax >= 1, $"deleteFileBatchMax must be positive, is {DeleteFileBatchMax}");
        Require(CleanIntervalMs >= 1, $"cleanResourceInterval must be positive, is {CleanIntervalMs}");
        Require(IdleUnmapMs >= 1, $"the idle time before unmapping must be positive, is {IdleUnmapMs}");
        if (errors.Count > 0)
        {
            throw new ArgumentException("Store settings: " + string.Join("; ", errors) + ".");
        }

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                errors.Add(message);
            }
        }
    }
}
