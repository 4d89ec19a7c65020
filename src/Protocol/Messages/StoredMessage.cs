using System.Buffers.Binary;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// A view of one commit-log record, which is also one message of a pull reply's body. All numbers are big-endian.
/// <code>
///  0 totalSize           4   this record, itself included
///  4 magic               4   V1 0xDAA320A7, V2 0xDAA320AB (filler: 0xCBD43194)
///  8 bodyCrc             4   CRC-32 of the body, top bit cleared; 0 for no body
/// 12 queueId             4
/// 16 flag                4   the application's own
/// 20 queueOffset         8   entries, in the consume queue
/// 28 physicalOffset      8   bytes, in the commit log
/// 36 sysFlag             4   see MessageSysFlag
/// 40 bornTimestamp       8   ms, the producer's clock
/// 48 bornHost            8 | 20   address, port(4)
///    storeTimestamp      8   ms, the broker's clock
///    storeHost           8 | 20
///    reconsumeTimes      4
///    preparedTransaction 8   physical offset of the half message
///    bodyLength          4
///    body                bodyLength
///    topicLength         1 (V1) | 2 (V2)
///    topic               topicLength, UTF-8
///    propertiesLength    2
///    properties          propertiesLength, see MessagePropertiesCodec
/// </code>
/// Source: RocketMQ 5.3.3, CommitLog and MessageDecoder.
/// </summary>
public readonly ref struct StoredMessage
{
    private readonly int _bodyStart;
    private readonly int _bodyLength;
    private readonly int _topicStart;
    private readonly int _topicLength;
    private readonly int _propertiesStart;

    private StoredMessage(
        ReadOnlySpan<byte> bytes, int bodyStart, int bodyLength, int topicStart, int topicLength, int propertiesStart)
    {
        Bytes = bytes;
        _bodyStart = bodyStart;
        _bodyLength = bodyLength;
        _topicStart = topicStart;
        _topicLength = topicLength;
        _propertiesStart = propertiesStart;
    }

    /// <summary>The record itself, exactly <see cref="TotalSize"/> bytes.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    public int TotalSize => Bytes.Length;

    public int Magic => Int32(StoredMessageLayout.MagicPosition);

    public int BodyCrc => Int32(StoredMessageLayout.BodyCrcPosition);

    public int QueueId => Int32(StoredMessageLayout.QueueIdPosition);

    public int Flag => Int32(StoredMessageLayout.FlagPosition);

    public long QueueOffset => Int64(StoredMessageLayout.QueueOffsetPosition);

    public long PhysicalOffset => Int64(StoredMessageLayout.PhysicalOffsetPosition);

    public int SysFlag => Int32(StoredMessageLayout.SysFlagPosition);

    public long BornTimestampMs => Int64(StoredMessageLayout.BornTimestampPosition);

    public MessageHost BornHost => MessageHost.Read(
        Bytes[StoredMessageLayout.BornHostPosition..], MessageSysFlag.Has(SysFlag, MessageSysFlag.BornHostV6));

    public long StoreTimestampMs => Int64(StoredMessageLayout.StoreTimestampPosition(SysFlag));

    public MessageHost StoreHost
    {
        get
        {
            int sysFlag = SysFlag;
            int position = StoredMessageLayout.StoreTimestampPosition(sysFlag) + 8;
            return MessageHost.Read(Bytes[position..], MessageSysFlag.Has(sysFlag, MessageSysFlag.StoreHostV6));
        }
    }

    public int ReconsumeTimes => Int32(_bodyStart - 4 - 8 - 4);

    public long PreparedTransactionOffset => Int64(_bodyStart - 4 - 8);

    public ReadOnlySpan<byte> Body => Bytes.Slice(_bodyStart, _bodyLength);

    public ReadOnlySpan<byte> Topic => Bytes.Slice(_topicStart, _topicLength);

    /// <summary>Raw properties; see <see cref="MessagePropertiesCodec"/>.</summary>
    public ReadOnlySpan<byte> Properties => Bytes[_propertiesStart..];

    /// <summary>Finds one property; the value is a slice of the record.</summary>
    public bool TryGetProperty(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) =>
        MessagePropertiesCodec.TryFind(Properties, name, out value);

    /// <summary>Does the body agree with <see cref="BodyCrc"/>? Reads the whole body.</summary>
    public bool BodyCrcMatches() => _bodyLength == 0 || Crc32.OfBody(Body) == BodyCrc;

    /// <summary>
    /// Reads the record at the start of <paramref name="bytes"/>, which may hold more behind it. False with the reason in
    /// <paramref name="error"/> for anything that is not a whole record; the body's CRC is not checked here.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out StoredMessage message, out string? error)
    {
        StoredMessageStatus status = Read(bytes, out message);
        error = status switch
        {
            StoredMessageStatus.Message => null,
            StoredMessageStatus.Blank => "the filler at the end of a commit-log file",
            StoredMessageStatus.Empty => "zeros: nothing was written here",
            StoredMessageStatus.Truncated => "the record is longer than the bytes given",
            _ => "no known magic code, or lengths that do not add up",
        };
        return error is null;
    }

    /// <summary>As <see cref="TryRead"/>, telling apart what else can stand in a commit log.</summary>
    public static StoredMessageStatus Read(ReadOnlySpan<byte> bytes, out StoredMessage message)
    {
        message = default;
        if (bytes.Length < StoredMessageLayout.BlankHeaderBytes)
        {
            return StoredMessageStatus.Truncated;
        }

        int totalSize = BinaryPrimitives.ReadInt32BigEndian(bytes);
        int magic = BinaryPrimitives.ReadInt32BigEndian(bytes[StoredMessageLayout.MagicPosition..]);
        switch (magic)
        {
            case StoredMessageLayout.MagicV1:
            case StoredMessageLayout.MagicV2:
                break;
            case StoredMessageLayout.MagicBlank:
                return StoredMessageStatus.Blank;
            default:
                return totalSize == 0 && magic == 0 ? StoredMessageStatus.Empty : StoredMessageStatus.Malformed;
        }

        if (totalSize < StoredMessageLayout.MinRecordBytes)
        {
            return StoredMessageStatus.Malformed;
        }

        if (totalSize > bytes.Length)
        {
            return StoredMessageStatus.Truncated;
        }

        bytes = bytes[..totalSize];
        int sysFlag = BinaryPrimitives.ReadInt32BigEndian(bytes[StoredMessageLayout.SysFlagPosition..]);
        int bodyStart = StoredMessageLayout.BodyLengthPosition(sysFlag) + 4;
        int topicLengthBytes = StoredMessageLayout.TopicLengthBytes(magic);
        int spare = totalSize - bodyStart - topicLengthBytes - 2;
        if (spare < 0)
        {
            return StoredMessageStatus.Malformed;
        }

        int bodyLength = BinaryPrimitives.ReadInt32BigEndian(bytes[(bodyStart - 4)..]);
        if (bodyLength < 0 || bodyLength > spare)
        {
            return StoredMessageStatus.Malformed;
        }

        spare -= bodyLength;
        int topicLengthPosition = bodyStart + bodyLength;
        int topicLength = topicLengthBytes == 1
            ? (sbyte)bytes[topicLengthPosition]
            : BinaryPrimitives.ReadInt16BigEndian(bytes[topicLengthPosition..]);
        if (topicLength < 0 || topicLength > spare)
        {
            return StoredMessageStatus.Malformed;
        }

        spare -= topicLength;
        int topicStart = topicLengthPosition + topicLengthBytes;
        int propertiesStart = topicStart + topicLength + 2;
        int propertiesLength = BinaryPrimitives.ReadInt16BigEndian(bytes[(propertiesStart - 2)..]);
        if (propertiesLength != spare)
        {
            return StoredMessageStatus.Malformed;
        }

        message = new StoredMessage(bytes, bodyStart, bodyLength, topicStart, topicLength, propertiesStart);
        return StoredMessageStatus.Message;
    }

    private int Int32(int position) => BinaryPrimitives.ReadInt32BigEndian(Bytes[position..]);

    private long Int64(int position) => BinaryPrimitives.ReadInt64BigEndian(Bytes[position..]);
}
