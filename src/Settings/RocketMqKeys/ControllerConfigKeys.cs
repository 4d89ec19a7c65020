namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the controller part of namesrv.conf (RocketMQ 5.3.3: ControllerConfig).</summary>
internal static class ControllerConfigKeys
{
    public static readonly string[] Names =
    [
        "configBlackList",
        "configStorePath",
        "controllerDLegerGroup",
        "controllerDLegerPeers",
        "controllerDLegerSelfId",
        "controllerRequestThreadPoolQueueCapacity",
        "controllerStorePath",
        "controllerThreadPoolNums",
        "controllerType",
        "electMasterMaxRetryCount",
        "enableElectUncleanMaster",
        "isProcessReadEvent",
        "jraftConfig",
        "mappedFileSize",
        "metricGrpcExporterIntervalInMills",
        "metricGrpcExporterTimeOutInMills",
        "metricLoggingExporterIntervalInMills",
        "metricsExporterType",
        "metricsGrpcExporterHeader",
        "metricsGrpcExporterTarget",
        "metricsInDelta",
        "metricsLabel",
        "metricsPromExporterHost",
        "metricsPromExporterPort",
        "notifyBrokerRoleChanged",
        "processReadEvent",
        "rocketmqHome",
        "scanInactiveMasterInterval",
        "scanNotActiveBrokerInterval",
    ];
}
