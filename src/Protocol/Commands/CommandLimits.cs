namespace GrayMQ.Protocol.Commands;

/// <summary>What a frame may hold at most. Lengths from the wire are compared with these before anything is allocated.</summary>
public sealed record CommandLimits
{
    /// <summary>Limits of a server that was not told otherwise.</summary>
    public static CommandLimits Default { get; } = new();

    /// <summary>Bytes of a frame without its own length (RocketMQ: com.rocketmq.remoting.frameMaxLength, 16 MiB).</summary>
    public int MaxFrameBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of a header. A message's properties travel in it, so it is well above their limit of 32 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 1024 * 1024;

    /// <summary>Named fields of a header.</summary>
    public int MaxHeaderFields { get; init; } = 1024;
}
