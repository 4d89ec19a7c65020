namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the name server part of namesrv.conf (RocketMQ 5.3.3: NamesrvConfig).</summary>
internal static class NamesrvConfigKeys
{
    public static readonly string[] Names =
    [
        "clientRequestThreadPoolNums",
        "clientRequestThreadPoolQueueCapacity",
        "clusterTest",
        "configBlackList",
        "configStorePath",
        "defaultThreadPoolNums",
        "defaultThreadPoolQueueCapacity",
        "deleteTopicWithBrokerRegistration",
        "enableAllTopicList",
        "enableControllerInNamesrv",
        "enableTopicList",
        "kvConfigPath",
        "needWaitForService",
        "notifyMinBrokerIdChanged",
        "orderMessageEnable",
        "productEnvName",
        "returnOrderTopicConfigToBroker",
        "rocketmqHome",
        "scanNotActiveBrokerInterval",
        "supportActingMaster",
        "unRegisterBrokerQueueCapacity",
        "waitSecondsForService",
    ];
}
