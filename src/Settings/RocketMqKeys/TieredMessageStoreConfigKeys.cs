namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the tiered store part of broker.conf (RocketMQ 5.3.3: tieredstore MessageStoreConfig).</summary>
internal static class TieredMessageStoreConfigKeys
{
    public static readonly string[] Names =
    [
        "brokerClusterName",
        "brokerName",
        "commitLogRollingInterval",
        "commitLogRollingMinimumSize",
        "messageIndexEnable",
        "objectStoreAccessKey",
        "objectStoreBucket",
        "objectStoreEndpoint",
        "objectStoreSecretKey",
        "readAheadCacheEnable",
        "readAheadCacheExpireDuration",
        "readAheadCacheSizeThresholdRate",
        "readAheadMessageCountThreshold",
        "readAheadMessageSizeThreshold",
        "recordGetMessageResult",
        "storePathRootDir",
        "tieredBackendServiceProvider",
        "tieredMetadataServiceProvider",
        "tieredStorageLevel",
        "tieredStoreCommitLogMaxSize",
        "tieredStoreConsumeQueueMaxSize",
        "tieredStoreCrcCheckEnable",
        "tieredStoreDeleteFileEnable",
        "tieredStoreDeleteFileInterval",
        "tieredStoreFilePath",
        "tieredStoreFileReservedTime",
        "tieredStoreGroupCommit",
        "tieredStoreGroupCommitCount",
        "tieredStoreGroupCommitSize",
        "tieredStoreGroupCommitTimeout",
        "tieredStoreIndexFileMaxHashSlotNum",
        "tieredStoreIndexFileMaxIndexNum",
        "tieredStoreMaxGroupCommitCount",
        "tieredStoreMaxPendingLimit",
    ];
}
