namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the outbound side of broker.conf and namesrv.conf (RocketMQ 5.3.3: NettyClientConfig).</summary>
internal static class NettyClientConfigKeys
{
    public static readonly string[] Names =
    [
        "channelNotActiveInterval",
        "clientAsyncSemaphoreValue",
        "clientCallbackExecutorThreads",
        "clientChannelMaxIdleTimeSeconds",
        "clientCloseSocketIfTimeout",
        "clientOnewaySemaphoreValue",
        "clientPooledByteBufAllocatorEnable",
        "clientSocketRcvBufSize",
        "clientSocketSndBufSize",
        "clientWorkerThreads",
        "connectTimeoutMillis",
        "disableCallbackExecutor",
        "disableNettyWorkerGroup",
        "enableReconnectForGoAway",
        "isScanAvailableNameSrv",
        "maxReconnectIntervalTimeSeconds",
        "scanAvailableNameSrv",
        "socksProxyConfig",
        "useTLS",
        "writeBufferHighWaterMark",
        "writeBufferLowWaterMark",
    ];
}
