namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>
/// Keys that RocketMQ 5.3.3 reads over in silence: some belonged to earlier releases, some were never read by any release
/// but are copied from one published broker.conf to the next. A file that carries them has always started a broker.
/// </summary>
internal static class EarlierKeys
{
    public static readonly IgnoredKey[] Broker =
    [
        Until("batchWriteKvCqSize", "5.3.1"),
        Until("commercialBigCount", "4.9"),
        Until("commercialEnable", "4.9"),
        Until("commercialTimerCount", "4.9"),
        Until("commercialTransCount", "4.9"),
        Until("enableTransparentRetry", "5.3.1"),
        Until("filterServerNums", "5.1.0"),
        Until("haSlaveFallbehindMax", "4.9"),
        Until("isEnableBatchPush", "5.1.1"),
        Until("mapedFileSizeCommitLog", "4.5.1", "mappedFileSizeCommitLog"),
        Until("mapedFileSizeConsumeQueue", "4.5.1", "mappedFileSizeConsumeQueue"),
        Until("maxCommitJitter", "5.2.0"),
        Until("maxDelayTime", "5.1.0"),
        Until("memTableFlushInterval", "5.1.4"),
        Until("ossAccessKey", "5.1.1"),
        Until("ossBucket", "5.1.1"),
        Until("ossEndpoint", "5.1.1"),
        Until("ossSecretKey", "5.1.1"),
        Until("readAheadBatchSizeFactorThreshold", "5.2.0"),
        Until("readAheadMaxFactor", "5.2.0"),
        Until("readAheadMinFactor", "5.2.0"),
        Until("serverLoadBalancerEnabled", "5.0.0-PREVIEW"),
        Until("tieredStoreFilepath", "5.1.1"),
        Until("tieredStoreIndexFileRollingIdleInterval", "5.2.0"),
        Until("transferMetadataJsonToRocksdb", "5.3.1"),
        Until("transferOffsetJsonToRocksdb", "5.3.1"),
        Never("abortFile", "storePathRootDir"),
        Never("checkTransactionMessageEnable"),
        Never("storeCheckpoint", "storePathRootDir"),
        Never("storePathConsumeQueue", "storePathRootDir"),
        Never("storePathIndex", "storePathRootDir"),
    ];

    public static readonly IgnoredKey[] NameServer =
    [
        Until("enableTransparentRetry", "5.3.1"),
    ];

    private static IgnoredKey Until(string key, string lastRelease, string? successor = null) =>
        new(key, $"RocketMQ reads it up to {lastRelease} only{SeeAlso(successor)}");

    private static IgnoredKey Never(string key, string? successor = null) =>
        new(key, $"no RocketMQ since 4.0 reads it{SeeAlso(successor)}");

    private static string SeeAlso(string? successor) => successor is null ? "" : $"; see {successor}";
}
