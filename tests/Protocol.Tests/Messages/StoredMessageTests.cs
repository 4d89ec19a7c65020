using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class StoredMessageTests
{
    private static readonly MessageHost V4 = MessageHost.FromV4(0x7F000001, 1234);
    private static readonly MessageHost V6 = MessageHost.From(IPAddress.IPv6Loopback, 4321);

    private static byte[] Write(string topic, string properties, byte[] body, MessageHost born, MessageHost store, int sysFlag = 0)
    {
        var fields = new StoredMessageFields
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Properties = Encoding.UTF8.GetBytes(properties),
            QueueId = 3,
            Flag = 77,
            QueueOffset = 1L << 33,
            PhysicalOffset = 1L << 40,
            SysFlag = sysFlag,
            BornTimestampMs = 1111,
            BornHost = born,
            StoreTimestampMs = 2222,
            StoreHost = store,
            ReconsumeTimes = 5,
            PreparedTransactionOffset = 99,
        };
        byte[] bytes = new byte[StoredMessageWriter.RecordBytes(fields, body.Length)];
        Assert.Equal(bytes.Length, StoredMessageWriter.Write(bytes, fields, Sequences.Split(body, 10, 100)));
        return bytes;
    }

    [Theory]
    [InlineData(false, false, 1, 0)]
    [InlineData(true, false, 127, 1)]
    [InlineData(false, true, 128, 1000)]
    [InlineData(true, true, 255, 100_000)]
    public void Record_RoundTrips(bool bornV6, bool storeV6, int topicLength, int bodyLength)
    {
        string topic = new('t', topicLength);
        byte[] body = new byte[bodyLength];
        new Random(bodyLength).NextBytes(body);
        MessageHost born = bornV6 ? V6 : V4;
        MessageHost store = storeV6 ? V6 : V4;
        byte[] bytes = Write(topic, "TAGS\u0001x\u0002", body, born, store, MessageSysFlag.TransactionCommit);

        Assert.True(StoredMessage.TryRead(bytes.Concat("behind"u8.ToArray()).ToArray(), out StoredMessage message, out string? error));
        Assert.Null(error);
        Assert.Equal(bytes.Length, message.TotalSize);
        Assert.Equal(topicLength > 127 ? StoredMessageLayout.MagicV2 : StoredMessageLayout.MagicV1, message.Magic);
        Assert.Equal(3, message.QueueId);
        Assert.Equal(77, message.Flag);
        Assert.Equal(1L << 33, message.QueueOffset);
        Assert.Equal(1L << 40, message.PhysicalOffset);
        Assert.Equal(MessageSysFlag.TransactionCommit, MessageSysFlag.Transaction(message.SysFlag));
        Assert.Equal(1111, message.BornTimestampMs);
        Assert.Equal(2222, message.StoreTimestampMs);
        Assert.Equal(born, message.BornHost);
        Assert.Equal(store, message.StoreHost);
        Assert.Equal(5, message.ReconsumeTimes);
        Assert.Equal(99, message.PreparedTransactionOffset);
        Assert.Equal(topic, Encoding.UTF8.GetString(message.Topic));
        Assert.True(message.Body.SequenceEqual(body));
        Assert.True(message.BodyCrcMatches());
        Assert.True(message.TryGetProperty(MessagePropertyUtf8.Tags, out ReadOnlySpan<byte> tag));
        Assert.True(tag.SequenceEqual("x"u8));
    }

    [Fact]
    public void Read_AnyPrefix_IsTruncatedAndNeverThrows()
    {
        byte[] bytes = Write("topic", "A\u0001b\u0002", [1, 2, 3], V4, V4);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(StoredMessageStatus.Truncated, StoredMessage.Read(bytes.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void Read_AnyByteChanged_NeverThrows()
    {
        byte[] bytes = Write("topic", "A\u0001b\u0002", [1, 2, 3], V4, V6);
        foreach (byte value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
        {
            for (int position = 0; position < bytes.Length; position++)
            {
                byte[] changed = [.. bytes];
                changed[position] = value;
                if (StoredMessage.Read(changed, out StoredMessage message) == StoredMessageStatus.Message)
                {
                    Assert.Equal(changed.Length, message.TotalSize);
                    Assert.Equal(changed.Length, message.Properties.Length + 2 + message.Topic.Length + 1 + message.Body.Length
                        + StoredMessageLayout.BodyLengthPosition(message.SysFlag) + 4);
                }
            }
        }
    }

    [Fact]
    public void Read_BodyByteChanged_FailsItsCrc()
    {
        byte[] bytes = Write("topic", "", [1, 2, 3], V4, V4);
        bytes[StoredMessageLayout.BodyLengthPosition(0) + 4] ^= 1;
        Assert.Equal(StoredMessageStatus.Message, StoredMessage.Read(bytes, out StoredMessage message));
        Assert.False(message.BodyCrcMatches());
    }

    [Fact]
    public void Read_OtherThings_AreToldApart()
    {
        byte[] bytes = new byte[100];
        Assert.Equal(StoredMessageStatus.Empty, StoredMessage.Read(bytes, out _));
        StoredMessageWriter.WriteBlank(bytes, 100);
        Assert.Equal(StoredMessageStatus.Blank, StoredMessage.Read(bytes, out _));
        Assert.Equal(100, BinaryPrimitives.ReadInt32BigEndian(bytes));
        bytes[4] = 0;
        Assert.Equal(StoredMessageStatus.Malformed, StoredMessage.Read(bytes, out _));
    }

    [Fact]
    public void MessageDecoder_ConcatenatedRecords_AreDecodedInOrder()
    {
        byte[] plain = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("gray ", 1000)));
        using var compressed = new MemoryStream();
        using (var deflater = new System.IO.Compression.ZLibStream(compressed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            deflater.Write(plain);
        }

        byte[] first = Write("t", "UNIQ_KEY\u0001id\u0002", plain, V4, V4);
        byte[] second = Write("t", "", compressed.ToArray(), V4, V6, MessageSysFlag.Compressed | MessageSysFlag.CompressionZlib);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll([.. first, .. second]);

        Assert.Equal(2, messages.Count);
        Assert.All(messages, message => Assert.True(message.Body.Span.SequenceEqual(plain)));
        Assert.Equal("id", messages[0].MessageId);
        Assert.Equal(messages[1].OffsetMessageId, messages[1].MessageId);
        Assert.Equal(56, messages[1].OffsetMessageId.Length);
        Assert.False(MessageSysFlag.Has(messages[1].SysFlag, MessageSysFlag.Compressed));

        Assert.Throws<InvalidDataException>(() => MessageDecoder.DecodeAll(second, maxBodyBytes: 100));
        Assert.Throws<InvalidDataException>(() => MessageDecoder.DecodeAll([.. first, 1]));
        first[^40] ^= 1;
        Assert.Throws<InvalidDataException>(() => MessageDecoder.DecodeAll(first));
    }

    [Theory]
    [InlineData(new byte[] { 0x78, 0x20, 1, 2, 3, 4, 5, 6, 7, 8 })] // asks for a preset dictionary
    [InlineData(new byte[] { 1, 2, 3 })]
    public void MessageDecoder_BodyThatDoesNotInflate_IsRefused(byte[] body)
    {
        byte[] record = Write("t", "", body, V4, V4, MessageSysFlag.Compressed | MessageSysFlag.CompressionZlib);
        Assert.Throws<InvalidDataException>(() => MessageDecoder.DecodeAll(record));
    }
}
