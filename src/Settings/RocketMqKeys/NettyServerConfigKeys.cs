namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>The keys of the listening side of broker.conf and namesrv.conf (RocketMQ 5.3.3: NettyServerConfig).</summary>
internal static class NettyServerConfigKeys
{
    public static readonly string[] Names =
    [
        "bindAddress",
        "enableShutdownGracefully",
        "listenPort",
        "serverAsyncSemaphoreValue",
        "serverCallbackExecutorThreads",
        "serverChannelMaxIdleTimeSeconds",
        "serverNettyWorkerGroupEnable",
        "serverOnewaySemaphoreValue",
        "serverPooledByteBufAllocatorEnable",
        "serverSelectorThreads",
        "serverSocketBacklog",
        "serverSocketRcvBufSize",
        "serverSocketSndBufSize",
        "serverWorkerThreads",
        "shutdownWaitTimeSeconds",
        "useEpollNativeSelector",
        "writeBufferHighWaterMark",
        "writeBufferLowWaterMark",
    ];
}
