using GrayMQ.Settings;
using GrayMQ.Store;

namespace GrayMQ.Broker;

/// <summary>The settings of the message store, under their RocketMQ names.</summary>
internal static class StoreSettings
{
    private static readonly StoreOptions Defaults = new() { RootDirectory = "." };

    private static readonly SettingDefinition<int> MappedFileSizeCommitLog =
        Setting.Int32("mappedFileSizeCommitLog", Defaults.CommitLogFileBytes, "Size of a commit-log file", 64 * 1024) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> MappedFileSizeConsumeQueue =
        Setting.Int32("mappedFileSizeConsumeQueue", Defaults.ConsumeQueueFileBytes, "Size of a consume-queue file", 20) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> FlushIntervalCommitLog =
        Setting.Int32("flushIntervalCommitLog", Defaults.FlushIntervalMs, "How often ASYNC_FLUSH flushes", 1) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> FlushCommitLogLeastPages =
        Setting.Int32("flushCommitLogLeastPages", Defaults.FlushLeastPages, "Pages of 4 KiB that are worth a flush", 0);

    private static readonly SettingDefinition<int> FlushCommitLogThoroughInterval =
        Setting.Int32("flushCommitLogThoroughInterval", Defaults.FlushThoroughIntervalMs, "After this time all is flushed", 1) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> SyncFlushTimeout =
        Setting.Int32("syncFlushTimeout", Defaults.SyncFlushTimeoutMs, "How long a send waits for the disk", 1) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<bool> MessageIndexEnable =
        Setting.Boolean("messageIndexEnable", Defaults.MessageIndexEnable, "Messages can be found by key");

    private static readonly SettingDefinition<int> MaxHashSlotNum =
        Setting.Int32("maxHashSlotNum", Defaults.MaxHashSlots, "Slots of a key index file", 1);

    private static readonly SettingDefinition<int> MaxIndexNum =
        Setting.Int32("maxIndexNum", Defaults.MaxIndexEntries, "Entries of a key index file", 2);

    private static readonly SettingDefinition<int> MaxMsgsNumBatch =
        Setting.Int32("maxMsgsNumBatch", Defaults.MaxQueryCount, "Messages that a query by key returns", 1, 1024);

    private static readonly SettingDefinition<int> MaxMessageSize =
        Setting.Int32("maxMessageSize", Defaults.MaxMessageBytes, "Largest body of a message or batch", 1) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> MaxFilterMessageSize =
        Setting.Int32("maxFilterMessageSize", Defaults.MaxFilterBytes, "Consume-queue bytes that one pull looks at", 20) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> MaxTransferBytesOnMessageInMemory =
        Setting.Int32("maxTransferBytesOnMessageInMemory", Defaults.MaxTransferBytesInMemory, "Bytes that one pull returns", 1) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> MaxTransferCountOnMessageInMemory =
        Setting.Int32("maxTransferCountOnMessageInMemory", Defaults.MaxTransferCountInMemory, "Messages that one pull returns", 1);

    private static readonly SettingDefinition<int> MaxTransferBytesOnMessageInDisk =
        Setting.Int32("maxTransferBytesOnMessageInDisk", Defaults.MaxTransferBytesOnDisk, "Bytes that one pull of old messages returns", 1) with
        {
            Unit = "bytes",
        };

    private static readonly SettingDefinition<int> MaxTransferCountOnMessageInDisk =
        Setting.Int32("maxTransferCountOnMessageInDisk", Defaults.MaxTransferCountOnDisk, "Messages that one pull of old messages returns", 1);

    private static readonly SettingDefinition<int> AccessMessageInMemoryMaxRatio =
        Setting.Int32("accessMessageInMemoryMaxRatio", Defaults.AccessInMemoryMaxRatio, "Share of memory that holds the log's end", 1, 100) with
        {
            Unit = "%",
        };

    private static readonly SettingDefinition<int> FileReservedTime =
        Setting.Int32("fileReservedTime", Defaults.FileReservedHours, "How long messages are kept", 1) with
        {
            Unit = "h",
        };

    private static readonly SettingDefinition<string> DeleteWhen =
        Setting.Text("deleteWhen", Defaults.DeleteWhen, "Hours of the day in which expired files are deleted: 04 or 04;16") with
        {
            Check = text => StoreOptions.IsDeleteWhen(text) ? null : "hours from 00 to 23 separated by ';'",
        };

    private static readonly SettingDefinition<int> DiskMaxUsedSpaceRatio =
        Setting.Int32("diskMaxUsedSpaceRatio", Defaults.DiskMaxUsedSpaceRatio, "Disk share above which expired files are deleted at once", 10, 95) with
        {
            Unit = "%",
        };

    private static readonly SettingDefinition<int> DiskSpaceCleanForciblyRatio =
        Setting.Int32("diskSpaceCleanForciblyRatio", Defaults.DiskSpaceCleanForciblyRatio, "Disk share above which the oldest files are deleted", 10, 99) with
        {
            Unit = "%",
        };

    private static readonly SettingDefinition<int> DiskSpaceWarningLevelRatio =
        Setting.Int32("diskSpaceWarningLevelRatio", Defaults.DiskSpaceWarningLevelRatio, "Disk share above which sends are refused", 10, 100) with
        {
            Unit = "%",
        };

    private static readonly SettingDefinition<bool> CleanFileForciblyEnable =
        Setting.Boolean("cleanFileForciblyEnable", Defaults.CleanFileForciblyEnable, "The oldest files may be deleted when space runs short");

    private static readonly SettingDefinition<int> CleanResourceInterval =
        Setting.Int32("cleanResourceInterval", Defaults.CleanIntervalMs, "How often files to delete are looked for", 1000) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<bool> CheckCrcOnRecover =
        Setting.Boolean("checkCRCOnRecover", Defaults.CheckCrcOnRecover, "Bodies are checked when the log is recovered");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        MappedFileSizeCommitLog, MappedFileSizeConsumeQueue, FlushIntervalCommitLog, FlushCommitLogLeastPages,
        FlushCommitLogThoroughInterval, SyncFlushTimeout, MessageIndexEnable, MaxHashSlotNum, MaxIndexNum, MaxMsgsNumBatch,
        MaxMessageSize, MaxFilterMessageSize, MaxTransferBytesOnMessageInMemory, MaxTransferCountOnMessageInMemory,
        MaxTransferBytesOnMessageInDisk, MaxTransferCountOnMessageInDisk, AccessMessageInMemoryMaxRatio, FileReservedTime,
        DeleteWhen, DiskMaxUsedSpaceRatio, DiskSpaceCleanForciblyRatio, DiskSpaceWarningLevelRatio, CleanFileForciblyEnable,
        CleanResourceInterval, CheckCrcOnRecover,
    ];

    /// <summary>What the store is opened with.</summary>
    public static StoreOptions ToOptions(EffectiveSettings settings) => new()
    {
        RootDirectory = settings.Get(BrokerSettings.StorePathRootDir),
        CommitLogDirectory = settings.Get(BrokerSettings.StorePathCommitLog),
        FlushDiskType = settings.Get(BrokerSettings.FlushDiskType),
        CommitLogFileBytes = settings.Get(MappedFileSizeCommitLog),
        ConsumeQueueFileBytes = settings.Get(MappedFileSizeConsumeQueue),
        FlushIntervalMs = settings.Get(FlushIntervalCommitLog),
        FlushLeastPages = settings.Get(FlushCommitLogLeastPages),
        FlushThoroughIntervalMs = settings.Get(FlushCommitLogThoroughInterval),
        SyncFlushTimeoutMs = settings.Get(SyncFlushTimeout),
        MessageIndexEnable = settings.Get(MessageIndexEnable),
        MaxHashSlots = settings.Get(MaxHashSlotNum),
        MaxIndexEntries = settings.Get(MaxIndexNum),
        MaxQueryCount = settings.Get(MaxMsgsNumBatch),
        MaxMessageBytes = settings.Get(MaxMessageSize),
        MaxFilterBytes = settings.Get(MaxFilterMessageSize),
        MaxTransferBytesInMemory = settings.Get(MaxTransferBytesOnMessageInMemory),
        MaxTransferCountInMemory = settings.Get(MaxTransferCountOnMessageInMemory),
        MaxTransferBytesOnDisk = settings.Get(MaxTransferBytesOnMessageInDisk),
        MaxTransferCountOnDisk = settings.Get(MaxTransferCountOnMessageInDisk),
        AccessInMemoryMaxRatio = settings.Get(AccessMessageInMemoryMaxRatio),
        FileReservedHours = settings.Get(FileReservedTime),
        DeleteWhen = settings.Get(DeleteWhen),
        DiskMaxUsedSpaceRatio = settings.Get(DiskMaxUsedSpaceRatio),
        DiskSpaceCleanForciblyRatio = settings.Get(DiskSpaceCleanForciblyRatio),
        DiskSpaceWarningLevelRatio = settings.Get(DiskSpaceWarningLevelRatio),
        CleanFileForciblyEnable = settings.Get(CleanFileForciblyEnable),
        CleanIntervalMs = settings.Get(CleanResourceInterval),
        CheckCrcOnRecover = settings.Get(CheckCrcOnRecover),
    };
}
