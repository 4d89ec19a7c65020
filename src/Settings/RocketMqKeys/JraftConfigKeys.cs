namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the controller's JRaft part of namesrv.conf (RocketMQ 5.3.3: JraftConfig).</summary>
internal static class JraftConfigKeys
{
    public static readonly string[] Names =
    [
        "jRaftControllerRPCAddr",
        "jRaftElectionTimeoutMs",
        "jRaftGroupId",
        "jRaftInitConf",
        "jRaftScanWaitTimeoutMs",
        "jRaftServerId",
        "jRaftSnapshotIntervalSecs",
    ];
}
