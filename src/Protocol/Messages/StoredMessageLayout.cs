namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Positions and magic codes of a commit-log record; the drawing stands at <see cref="StoredMessage"/>.
/// These reach the disk: they never change.
/// </summary>
public static class StoredMessageLayout
{
    /// <summary>Record with a 1-byte topic length (RocketMQ: MESSAGE_VERSION_V1).</summary>
    public const int MagicV1 = -626843481;

    /// <summary>Record with a 2-byte topic length, used for topics longer than 127 bytes (MESSAGE_VERSION_V2).</summary>
    public const int MagicV2 = -626843477;

    /// <summary>Filler: nothing follows in this commit-log file (RocketMQ: BLANK_MAGIC_CODE).</summary>
    public const int MagicBlank = -875286124;

    /// <summary>Bytes of the filler's head: total size and magic code; a file always keeps that much at its end.</summary>
    public const int BlankHeaderBytes = 8;

    public const int TotalSizePosition = 0;
    public const int MagicPosition = 4;
    public const int BodyCrcPosition = 8;
    public const int QueueIdPosition = 12;
    public const int FlagPosition = 16;
    public const int QueueOffsetPosition = 20;
    public const int PhysicalOffsetPosition = 28;
    public const int SysFlagPosition = 36;
    public const int BornTimestampPosition = 40;
    public const int BornHostPosition = 48;

    /// <summary>Longest topic of a V1 record: its length byte is signed.</summary>
    public const int MaxTopicBytesV1 = sbyte.MaxValue;

    /// <summary>Longest topic of a V2 record.</summary>
    public const int MaxTopicBytesV2 = short.MaxValue;

    /// <summary>Bytes of a record without hosts, body, topic length, topic and properties.</summary>
    private const int FixedBytes = BornHostPosition + 8 + 4 + 8 + 4 + 2;

    /// <summary>The smallest record there can be: IPv4 hosts, V1, no body, topic or properties.</summary>
    public const int MinRecordBytes = FixedBytes + (2 * MessageHost.V4Bytes) + 1;

    public static int HostBytes(bool isV6) => isV6 ? MessageHost.V6Bytes : MessageHost.V4Bytes;

    /// <summary>The magic code for a topic of so many bytes: V1 wherever it can hold the topic.</summary>
    public static int MagicFor(int topicBytes) => topicBytes <= MaxTopicBytesV1 ? MagicV1 : MagicV2;

    /// <summary>Bytes of the topic length field: 1 (V1) or 2 (V2).</summary>
    public static int TopicLengthBytes(int magic) => magic == MagicV2 ? 2 : 1;

    /// <summary>Position of the store timestamp.</summary>
    public static int StoreTimestampPosition(int sysFlag) =>
        BornHostPosition + HostBytes(MessageSysFlag.Has(sysFlag, MessageSysFlag.BornHostV6));

    /// <summary>Position of the body length field.</summary>
    public static int BodyLengthPosition(int sysFlag) =>
        StoreTimestampPosition(sysFlag) + 8
        + HostBytes(MessageSysFlag.Has(sysFlag, MessageSysFlag.StoreHostV6)) + 4 + 8;

    /// <summary>Bytes of a whole record; a long, because the parts come from outside and may add up beyond an int.</summary>
    public static long RecordBytes(int magic, int sysFlag, long bodyBytes, int topicBytes, int propertiesBytes) =>
        BodyLengthPosition(sysFlag) + 4 + bodyBytes + TopicLengthBytes(magic) + topicBytes + 2 + propertiesBytes;
}
