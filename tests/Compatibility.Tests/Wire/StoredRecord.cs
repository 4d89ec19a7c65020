using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// A message as it stands in the commit log and in the body of a pull (RocketMQ: MessageDecoder.decode), read without the
/// product's own codec.
/// </summary>
internal sealed record StoredRecord(
    int TotalBytes,
    uint Magic,
    uint BodyCrc32,
    int QueueId,
    int Flag,
    long QueueOffset,
    long PhysicalOffset,
    int SysFlag,
    long BornTimestamp,
    IPEndPoint BornHost,
    long StoreTimestamp,
    IPEndPoint StoreHost,
    int ReconsumeTimes,
    long PreparedTransactionOffset,
    string Body,
    string Topic,
    ILookup<string, string> Properties)
{
    private const uint MagicV2 = 0xDAA320A7 + 4; // topic length of two bytes
    private const int BornHostV6 = 0x10;
    private const int StoreHostV6 = 0x20;

    public static IReadOnlyList<StoredRecord> DecodeAll(byte[] bytes)
    {
        var records = new List<StoredRecord>();
        for (int at = 0; at < bytes.Length;)
        {
            StoredRecord record = Decode(bytes.AsSpan(at));
            records.Add(record);
            at += record.TotalBytes;
        }

        return records;
    }

    private static StoredRecord Decode(ReadOnlySpan<byte> bytes)
    {
        int total = BinaryPrimitives.ReadInt32BigEndian(bytes);
        ReadOnlySpan<byte> record = bytes[..total];
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(record[4..]);
        int sysFlag = BinaryPrimitives.ReadInt32BigEndian(record[36..]);
        int at = 40;
        long bornTimestamp = ReadInt64(record, ref at);
        IPEndPoint bornHost = ReadHost(record, (sysFlag & BornHostV6) != 0, ref at);
        long storeTimestamp = ReadInt64(record, ref at);
        IPEndPoint storeHost = ReadHost(record, (sysFlag & StoreHostV6) != 0, ref at);
        int reconsumeTimes = ReadInt32(record, ref at);
        long prepared = ReadInt64(record, ref at);
        int bodyLength = ReadInt32(record, ref at);
        string body = Convert.ToHexString(record.Slice(at, bodyLength));
        at += bodyLength;
        int topicLength = magic == MagicV2 ? ReadInt16(record, ref at) : record[at++];
        string topic = Encoding.UTF8.GetString(record.Slice(at, topicLength));
        at += topicLength;
        int propertiesLength = ReadInt16(record, ref at);
        string properties = Encoding.UTF8.GetString(record.Slice(at, propertiesLength));
        Assert.Equal(total, at + propertiesLength);

        return new StoredRecord(
            total,
            magic,
            BinaryPrimitives.ReadUInt32BigEndian(record[8..]),
            BinaryPrimitives.ReadInt32BigEndian(record[12..]),
            BinaryPrimitives.ReadInt32BigEndian(record[16..]),
            BinaryPrimitives.ReadInt64BigEndian(record[20..]),
            BinaryPrimitives.ReadInt64BigEndian(record[28..]),
            sysFlag,
            bornTimestamp,
            bornHost,
            storeTimestamp,
            storeHost,
            reconsumeTimes,
            prepared,
            body,
            topic,
            properties.Split('\u0002', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('\u0001', 2))
                .ToLookup(pair => pair[0], pair => pair[1], StringComparer.Ordinal));
    }

    /// <summary>The message's fields by name, so that two messages are compared one by one.</summary>
    public IEnumerable<(string Name, string Value)> Fields()
    {
        yield return ("totalBytes", Text(TotalBytes));
        yield return ("magic", Text(Magic));
        yield return ("bodyCrc32", Text(BodyCrc32));
        yield return ("queueId", Text(QueueId));
        yield return ("flag", Text(Flag));
        yield return ("queueOffset", Text(QueueOffset));
        yield return ("physicalOffset", Text(PhysicalOffset));
        yield return ("sysFlag", Text(SysFlag));
        yield return ("bornTimestamp", Text(BornTimestamp));
        yield return ("bornHost", BornHost.ToString());
        yield return ("storeTimestamp", Text(StoreTimestamp));
        yield return ("storeHost", StoreHost.ToString());
        yield return ("reconsumeTimes", Text(ReconsumeTimes));
        yield return ("preparedTransactionOffset", Text(PreparedTransactionOffset));
        yield return ("body", Body);
        yield return ("topic", Topic);

        // A message of a batch has some twice: its own and the batch's; readers take the last.
        foreach (IGrouping<string, string> values in Properties)
        {
            yield return ($"properties.{values.Key}", string.Join(" then ", values));
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static IPEndPoint ReadHost(ReadOnlySpan<byte> record, bool v6, ref int at)
    {
        int addressBytes = v6 ? 16 : 4;
        var address = new IPAddress(record.Slice(at, addressBytes));
        at += addressBytes;
        return new IPEndPoint(address, ReadInt32(record, ref at));
    }

    private static short ReadInt16(ReadOnlySpan<byte> record, ref int at)
    {
        at += sizeof(short);
        return BinaryPrimitives.ReadInt16BigEndian(record[(at - sizeof(short))..]);
    }

    private static int ReadInt32(ReadOnlySpan<byte> record, ref int at)
    {
        at += sizeof(int);
        return BinaryPrimitives.ReadInt32BigEndian(record[(at - sizeof(int))..]);
    }

    private static long ReadInt64(ReadOnlySpan<byte> record, ref int at)
    {
        at += sizeof(long);
        return BinaryPrimitives.ReadInt64BigEndian(record[(at - sizeof(long))..]);
    }
}
