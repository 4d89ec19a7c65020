using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace GrayMQ.Protocol.Bodies;

/// <summary>
/// A broker's registration as bytes: JSON, or compressed by zlib in this binary form (big-endian; RocketMQ:
/// RegisterBrokerBody.encode).
/// <code>
/// | int32 length | DataVersion as JSON |
/// | int32 count  | count × ( int32 length | "name readQueues writeQueues perm filterType attributes" ) |
/// | int32 length | filter servers as JSON array |
/// | int32 count  | count × ( int32 length | TopicQueueMappingInfo as JSON ) |   since RocketMQ 5.0.0
/// </code>
/// The compressed form says nothing of a topic's order and system flags.
/// </summary>
public static class RegisterBrokerBodyCodec
{
    /// <summary>The first version (RocketMQ: ordinal of V5_0_0) that ends its compressed form with queue mappings.</summary>
    public const int QueueMappingSinceVersion = 413;

    /// <summary>Inflated bytes that are accepted: a megabyte of zlib can blow up to a gigabyte.</summary>
    public const int MaxInflatedBytes = 128 * 1024 * 1024;

    /// <summary>How zlib data with the usual window begins, and JSON cannot.</summary>
    private const byte ZlibMark = 0x78;

    private const int MaxEntryBytes = 1024 * 1024;
    private const int MaxFilterServersBytes = 1024 * 1024;

    /// <summary>The body as it goes over the wire.</summary>
    public static byte[] Encode(RegisterBrokerBody body, bool compress)
    {
        if (!compress)
        {
            return BodyCodec.Encode(body);
        }

        var wrapper = body.TopicConfigSerializeWrapper;
        using var output = new MemoryStream();
        using (var zlib = new ZLibStream(output, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            WriteBlock(zlib, BodyCodec.Encode(wrapper.DataVersion));
            WriteInt32(zlib, wrapper.TopicConfigTable.Count);
            foreach (var topic in wrapper.TopicConfigTable.Values)
            {
                WriteBlock(zlib, Encoding.UTF8.GetBytes(FormatTopic(topic)));
            }

            WriteBlock(zlib, BodyCodec.Encode(body.FilterServerList));
            WriteInt32(zlib, wrapper.TopicQueueMappingInfoMap.Count);
            foreach (var mapping in wrapper.TopicQueueMappingInfoMap.Values)
            {
                WriteBlock(zlib, BodyCodec.Encode(mapping));
            }
        }

        return output.ToArray();
    }

    /// <summary>Reads a registration.</summary>
    /// <param name="bytes">The body as received.</param>
    /// <param name="compressed">
    /// What the header says of it. Brokers of RocketMQ 5 with compressedRegister say false and compress all the same, so the
    /// bytes are believed before the header.
    /// </param>
    /// <param name="brokerVersion">RocketMQ: ordinal of the sender's MQVersion.Version.</param>
    /// <exception cref="BodyFormatException">It is cut off, does not add up, or inflates beyond every measure.</exception>
    public static RegisterBrokerBody Decode(in ReadOnlySequence<byte> bytes, bool compressed, int brokerVersion)
    {
        if (!compressed && (bytes.IsEmpty || bytes.FirstSpan[0] != ZlibMark))
        {
            return BodyCodec.Decode<RegisterBrokerBody>(bytes);
        }

        var reader = new BlockReader(Inflate(bytes));
        var wrapper = new TopicConfigAndMappingSerializeWrapper
        {
            DataVersion = BodyCodec.Decode<DataVersion>(reader.Block(MaxEntryBytes)),
        };
        var topicCount = reader.Count();
        for (var i = 0; i < topicCount; i++)
        {
            var topic = ParseTopic(Encoding.UTF8.GetString(reader.Block(MaxEntryBytes)));
            wrapper.TopicConfigTable[topic.TopicName] = topic;
        }

        var filterServers = BodyCodec.Decode<List<string>>(reader.Block(MaxFilterServersBytes));
        if (brokerVersion >= QueueMappingSinceVersion)
        {
            var mappingCount = reader.Count();
            for (var i = 0; i < mappingCount; i++)
            {
                var mapping = BodyCodec.Decode<TopicQueueMappingInfo>(reader.Block(MaxEntryBytes));
                wrapper.TopicQueueMappingInfoMap[mapping.Topic ?? throw new BodyFormatException("A queue mapping names no topic")] = mapping;
            }
        }

        return new RegisterBrokerBody { FilterServerList = filterServers, TopicConfigSerializeWrapper = wrapper };
    }

    private static byte[] Inflate(in ReadOnlySequence<byte> bytes)
    {
        using var input = new MemoryStream(bytes.ToArray(), writable: false);
        using var zlib = new ZLibStream(input, CompressionMode.Decompress);
        using var output = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = zlib.Read(buffer)) > 0)
            {
                if (output.Length + read > MaxInflatedBytes)
                {
                    throw new BodyFormatException($"The registration inflates to more than {MaxInflatedBytes} bytes");
                }

                output.Write(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new BodyFormatException("The registration is not what zlib compresses to", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return output.ToArray();
    }

    private static string FormatTopic(TopicConfig topic) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{topic.TopicName} {topic.ReadQueueNums} {topic.WriteQueueNums} {topic.Perm} {FilterName(topic.TopicFilterType)} ")
        + Encoding.UTF8.GetString(BodyCodec.Encode(topic.Attributes));

    private static TopicConfig ParseTopic(string line)
    {
        var parts = line.Split(' ');
        if (parts.Length < 5
            || parts[0].Length == 0
            || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var readQueues)
            || !int.TryParse(parts[2], CultureInfo.InvariantCulture, out var writeQueues)
            || !int.TryParse(parts[3], CultureInfo.InvariantCulture, out var perm)
            || parts[4] is not ("SINGLE_TAG" or "MULTI_TAG"))
        {
            throw new BodyFormatException("A topic of the registration does not read as name, queues, permission and filter");
        }

        return new TopicConfig
        {
            TopicName = parts[0],
            ReadQueueNums = readQueues,
            WriteQueueNums = writeQueues,
            Perm = perm,
            TopicFilterType = parts[4] == "MULTI_TAG" ? TopicFilterType.MultiTag : TopicFilterType.SingleTag,
            Attributes = parts.Length > 5 && parts[5].Length > 0
                ? BodyCodec.Decode<Dictionary<string, string>>(Encoding.UTF8.GetBytes(parts[5]))
                : [],
        };
    }

    private static string FilterName(TopicFilterType type) => type == TopicFilterType.MultiTag ? "MULTI_TAG" : "SINGLE_TAG";

    private static void WriteBlock(Stream output, byte[] block)
    {
        WriteInt32(output, block.Length);
        output.Write(block);
    }

    private static void WriteInt32(Stream output, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        output.Write(bytes);
    }

    private ref struct BlockReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public ReadOnlySpan<byte> Block(int maxBytes)
        {
            var length = Int32();
            if (length < 0 || length > maxBytes || length > _rest.Length)
            {
                throw new BodyFormatException($"The registration announces a block of {length} bytes and holds {_rest.Length}");
            }

            var block = _rest[..length];
            _rest = _rest[length..];
            return block;
        }

        /// <summary>A number of blocks, each of which takes at least its length prefix.</summary>
        public int Count()
        {
            var count = Int32();
            return count >= 0 && count <= _rest.Length / sizeof(int)
                ? count
                : throw new BodyFormatException($"The registration announces {count} entries and holds {_rest.Length} bytes");
        }

        private int Int32()
        {
            if (_rest.Length < sizeof(int))
            {
                throw new BodyFormatException("The registration is cut off");
            }

            var value = BinaryPrimitives.ReadInt32BigEndian(_rest);
            _rest = _rest[sizeof(int)..];
            return value;
        }
    }
}
