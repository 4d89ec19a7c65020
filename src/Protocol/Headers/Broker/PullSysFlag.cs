namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Bits of a pull's sysFlag (RocketMQ: PullSysFlag).</summary>
[Flags]
public enum PullSysFlag
{
    None = 0,

    /// <summary>The pull also commits <see cref="PullMessageHeader.CommitOffset"/>.</summary>
    CommitOffset = 0x1,

    /// <summary>Where there is nothing yet, the broker may keep the request until there is.</summary>
    Suspend = 0x2,

    /// <summary>The request carries its subscription itself.</summary>
    Subscription = 0x4,

    ClassFilter = 0x8,

    LitePull = 0x10,
}
