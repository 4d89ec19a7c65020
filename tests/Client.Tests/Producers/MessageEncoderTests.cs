using System.Buffers;
using System.IO.Compression;
using System.Net;
using System.Text;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.Producers;

public class MessageEncoderTests
{
    private const int MaxBytes = 64 * 1024;

    private readonly MessageEncoder _encoder = new(
        4096, MaxBytes, new UniqueKeyGenerator(IPAddress.Loopback, Environment.ProcessId), TimeProvider.System);

    [Fact]
    public void Encode_FullMessage_WritesItsProperties()
    {
        var message = new Message("orders", "x"u8.ToArray()) { Tag = "new", Keys = ["1", "2"], WaitForStore = false, Properties = { ["a"] = "ü" } };

        OutgoingMessage outgoing = _encoder.Encode(message);

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["KEYS"] = "1 2",
                ["UNIQ_KEY"] = outgoing.MessageId,
                ["WAIT"] = "false",
                ["TAGS"] = "new",
                ["a"] = "ü",
            },
            MessagePropertiesCodec.ToDictionary(outgoing.Properties.Span));
        Assert.Equal(0, outgoing.SysFlag);
        Assert.False(outgoing.IsBatch);
    }

    [Fact]
    public void Encode_DelayedMessages_NameTheirDelay()
    {
        DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(1_795_307_103_871);

        Assert.Equal("2500", Property(new("t", "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(2.5) }, "TIMER_DELAY_MS"));
        Assert.Equal("1795307103871", Property(new("t", "x"u8.ToArray()) { DeliverAt = time }, "TIMER_DELIVER_MS"));
        Assert.Equal("3", Property(new("t", "x"u8.ToArray()) { DelayLevel = 3 }, "DELAY"));
        Assert.Equal("k", Property(new("t", "x"u8.ToArray()) { ShardingKey = "k" }, "__SHARDINGKEY"));
    }

    [Fact]
    public void Encode_ImpossibleDelays_AreRefused()
    {
        Message[] messages =
        [
            new("t", "x"u8.ToArray()) { Delay = TimeSpan.Zero },
            new("t", "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(-1) },
            new("t", "x"u8.ToArray()) { DelayLevel = 0 },
            new("t", "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(1), DelayLevel = 1 },
            new("t", "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(1), DeliverAt = DateTimeOffset.UnixEpoch },
        ];

        Assert.All(messages, message => Assert.Throws<ArgumentException>(() => _encoder.Encode(message)));
        Assert.Throws<ArgumentException>(
            () => _encoder.EncodeBatch([new Message("t", "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(1) }]));
    }

    [Fact]
    public void Encode_ForATransaction_SetsItsBitsAndPropertiesBesidesTheCompression()
    {
        OutgoingMessage outgoing =
            _encoder.Encode(new Message("t", new byte[5000]), MessagePurpose.Transaction, ("TRAN_MSG", "true"), ("PGROUP", "g"));

        Assert.Equal(
            MessageSysFlag.TransactionPrepared | MessageSysFlag.Compressed | MessageSysFlag.CompressionZlib, outgoing.SysFlag);
        Assert.Equal("g", MessagePropertiesCodec.ToDictionary(outgoing.Properties.Span)["PGROUP"]);
    }

    [Fact]
    public void Encode_MessageWithItsOwnId_KeepsIt() =>
        Assert.Equal("id", _encoder.Encode(new Message("t", "x"u8.ToArray()) { MessageId = "id" }).MessageId);

    [Fact]
    public void Encode_LargeBody_IsCompressedWithZlib()
    {
        byte[] body = new byte[4096];

        OutgoingMessage outgoing = _encoder.Encode(new Message("t", body));

        Assert.Equal(MessageSysFlag.Compressed | MessageSysFlag.CompressionZlib, outgoing.SysFlag);
        using var inflater = new ZLibStream(new MemoryStream(outgoing.Body.ToArray()), CompressionMode.Decompress);
        var plain = new MemoryStream();
        inflater.CopyTo(plain);
        Assert.Equal(body, plain.ToArray());
    }

    [Fact]
    public void Encode_BodyThatDoesNotShrink_IsSentAsItIs()
    {
        byte[] body = new byte[5000];
        new Random(1).NextBytes(body);

        OutgoingMessage outgoing = _encoder.Encode(new Message("t", body));

        Assert.Equal(0, outgoing.SysFlag);
        Assert.Equal(body, outgoing.Body.ToArray());
    }

    [Fact]
    public void Encode_SmallBody_IsNotCompressed() => Assert.Equal(0, _encoder.Encode(new Message("t", new byte[4095])).SysFlag);

    public static TheoryData<Message, string> Unsendable => new()
    {
        { new Message("", "x"u8.ToArray()), "blank" },
        { new Message("a b", "x"u8.ToArray()), "illegal" },
        { new Message(new string('t', 128), "x"u8.ToArray()), "127" },
        { new Message("SCHEDULE_TOPIC_XXXX", "x"u8.ToArray()), "brokers only" },
        { new Message("t", default), "empty" },
        { new Message("t", new byte[MaxBytes + 1]), "at most 65536" },
        { new Message("t", "x"u8.ToArray()) { Keys = ["a b"] }, "space" },
        { new Message("t", "x"u8.ToArray()) { Tag = "a\u0002b" }, "TAGS" },
        { new Message("t", "x"u8.ToArray()) { Properties = { ["UNIQ_KEY"] = "1" } }, "RocketMQ itself" },
        { new Message("t", "x"u8.ToArray()) { Properties = { ["a"] = "" } }, "empty" },
        { new Message("t", "x"u8.ToArray()) { Properties = { ["a\u0001"] = "b" } }, "separate" },
        { new Message("t", "x"u8.ToArray()) { Properties = { ["a"] = new string('v', 32768) } }, "at most 32767" },
    };

    [Theory]
    [MemberData(nameof(Unsendable))]
    public void Encode_UnsendableMessage_SaysWhy(Message message, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => _encoder.Encode(message)).Message, StringComparison.Ordinal);

    [Fact]
    public void EncodeBatch_TwoMessages_CanBeReadBack()
    {
        Message[] messages =
        [
            new("t", "one"u8.ToArray()) { Tag = "a", Flag = 7 },
            new("t", "two"u8.ToArray()) { Keys = ["k"] },
        ];

        OutgoingMessage batch = _encoder.EncodeBatch(messages);

        Assert.True(batch.IsBatch);
        string[] ids = batch.MessageId.Split(',');
        var read = new List<(int Flag, string Body, Dictionary<string, string> Properties)>();
        var reader = new BatchBodyReader(new ReadOnlySequence<byte>(batch.Body));
        while (reader.MoveNext())
        {
            BatchRecord record = reader.Current;
            read.Add((
                record.Flag,
                Encoding.UTF8.GetString(record.Body),
                MessagePropertiesCodec.ToDictionary(record.Properties.ToArray())));
        }

        Assert.False(reader.IsMalformed);

        Assert.Equal([7, 0], read.Select(record => record.Flag));
        Assert.Equal(["one", "two"], read.Select(record => record.Body));
        Assert.Equal(ids, read.Select(record => record.Properties["UNIQ_KEY"]));
        Assert.Equal("a", read[0].Properties["TAGS"]);
        Assert.Equal("k", read[1].Properties["KEYS"]);

        // An id of the batch itself would replace those of its messages.
        Assert.Equal(
            new Dictionary<string, string> { ["WAIT"] = "true" }, MessagePropertiesCodec.ToDictionary(batch.Properties.Span));
    }

    public static TheoryData<Message[], string> UnsendableBatches => new()
    {
        { [], "empty" },
        { [new("a", "x"u8.ToArray()), new("b", "x"u8.ToArray())], "topics a and b" },
        { [new("a", "x"u8.ToArray()), new("a", "x"u8.ToArray()) { WaitForStore = false }], "WaitForStore" },
        { [new("%RETRY%g", "x"u8.ToArray())], "no batches" },
        { [new("a", new byte[40_000]), new("a", new byte[40_000])], "more than 65536" },
    };

    [Theory]
    [MemberData(nameof(UnsendableBatches))]
    public void EncodeBatch_UnsendableBatch_SaysWhy(Message[] messages, string expected) =>
        Assert.Contains(
            expected, Assert.Throws<ArgumentException>(() => _encoder.EncodeBatch(messages)).Message, StringComparison.Ordinal);

    [Fact]
    public void Split_ManyMessages_MakesBatchesThatCanBeSent()
    {
        Message[] messages = [.. Enumerable.Range(0, 200).Select(i => new Message("t", new byte[i * 10]) { Keys = [$"k{i}"] }).Skip(1)];

        List<IReadOnlyList<Message>> batches = [.. MessageBatch.Split(messages, 10_000)];

        Assert.Equal(messages, batches.SelectMany(batch => batch));
        Assert.All(batches, batch => Assert.True(_encoder.EncodeBatch(batch).Body.Length <= 10_000));
        Assert.True(batches.Count < 60, $"{batches.Count} batches for {messages.Sum(message => message.Body.Length)} bytes");
    }

    [Fact]
    public void Split_MessageThatIsTooLarge_StandsAlone() =>
        Assert.Equal(
            [1, 1, 1],
            MessageBatch.Split([new("t", new byte[10]), new("t", new byte[5000]), new("t", new byte[10])], 1000).Select(batch => batch.Count));

    private string Property(Message message, string name) =>
        MessagePropertiesCodec.ToDictionary(_encoder.Encode(message).Properties.Span)[name];
}
