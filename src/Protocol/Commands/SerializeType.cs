namespace GrayMQ.Protocol.Commands;

/// <summary>How a command's header is written: the top byte of the header length (RocketMQ: SerializeType).</summary>
public enum SerializeType : byte
{
    Json = 0,
    RocketMq = 1,
}
