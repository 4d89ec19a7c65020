using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Tests.Commands;

public class BinaryHeaderTests
{
    private static RemotingCommand Decode(byte[] header) => Frames.Decode(Frames.Of(1, header, []));

    private static byte[] Map(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => Frames.Field(Encoding.UTF8.GetBytes(field.Name), Encoding.UTF8.GetBytes(field.Value)))];

    [Fact]
    public void Decode_EveryPart_IsRead()
    {
        RemotingCommand command = Decode(
            Frames.BinaryHeader(-3, Map(("a", "x"), ("b", "12")), "remark ä", language: 9, opaque: -5, flag: 3));
        Assert.Equal((-3, -5, 3, 479), (command.Code, command.Opaque, command.Flag, command.Version));
        Assert.Equal(LanguageCode.Go, command.Language);
        Assert.Equal("remark ä", command.Remark);
        Assert.Equal("x", command.Fields.GetString("a"u8));
        Assert.Equal(12, command.Fields.GetInt32("b"u8));
    }

    [Theory]
    [InlineData(14)]
    [InlineData(255)]
    public void Decode_UnknownLanguage_ReadsAsOther(byte language) =>
        Assert.Equal(LanguageCode.Other, Decode(Frames.BinaryHeader(1, [], language: language)).Language);

    [Fact]
    public void Decode_EmptyNameOrValue_IsNoField()
    {
        RemotingCommand command = Decode(Frames.BinaryHeader(1, Map(("a", ""), ("", "x"), ("b", "y"))));
        Assert.Equal(["b"], command.Fields.ToDictionary().Keys);
        Assert.Equal(7, command.Fields.FindInt32("a"u8, 7));
    }

    [Fact]
    public void Decode_BytesThatAreNoUtf8_ReadAsReplacementCharacters()
    {
        byte[] map = [.. Frames.Field("a"u8.ToArray(), [0x61, 0xFF, 0xC3]), .. Frames.Field([0x62, 0xFE], "x"u8.ToArray()), .. Map(("c", "d"))];
        HeaderFields fields = Decode(Frames.BinaryHeader(1, map)).Fields;
        Assert.Equal("a\uFFFD\uFFFD", fields.GetString("a"u8));
        Assert.Equal("x", fields.GetString("b\uFFFD"u8));
        Assert.Equal("d", fields.GetString("c"u8));
    }

    [Fact]
    public void Decode_DuplicateFields_TheLastCounts() =>
        Assert.Equal("3", Decode(Frames.BinaryHeader(1, Map(("a", "1"), ("b", "2"), ("a", "3")))).Fields.GetString("a"u8));

    [Theory]
    [InlineData(-1)]
    [InlineData(6)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Decode_RemarkLengthLies_Throws(int length) => Assert.Throws<ProtocolException>(
        () => Decode(Frames.BinaryHeader(1, [], "12345", remarkLength: length)));

    [Theory]
    [InlineData(-1)]
    [InlineData(9)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Decode_MapLengthLies_Throws(int length) => Assert.Throws<ProtocolException>(
        () => Decode(Frames.BinaryHeader(1, Map(("a", "x")), mapLength: length)));

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(short.MaxValue)]
    [InlineData(short.MinValue)]
    public void Decode_NameLengthLies_Throws(short length)
    {
        byte[] last = Frames.Field("a"u8.ToArray(), [], nameLength: length);
        Assert.Throws<ProtocolException>(() => Decode(Frames.BinaryHeader(1, last)));
        Assert.Throws<ProtocolException>(() => Decode(Frames.BinaryHeader(1, [.. Map(("b", "c")), .. last])));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Decode_ValueLengthLies_Throws(int length)
    {
        byte[] last = Frames.Field("a"u8.ToArray(), "x"u8.ToArray(), valueLength: length);
        Assert.Throws<ProtocolException>(() => Decode(Frames.BinaryHeader(1, last)));
        Assert.Throws<ProtocolException>(() => Decode(Frames.BinaryHeader(1, [.. Map(("b", "c")), .. last])));
    }

    [Fact]
    public void Decode_EveryTruncation_Throws()
    {
        byte[] header = Frames.BinaryHeader(1, Map(("name", "value"), ("b", "c")), "remark");
        for (int length = 0; length < header.Length; length++)
        {
            Assert.Throws<ProtocolException>(() => Decode(header[..length]));
        }
    }

    [Fact]
    public void Decode_MoreFieldsThanAllowed_Throws()
    {
        byte[] frame = Frames.Of(1, Frames.BinaryHeader(1, Map(("a", "1"), ("b", "2"), ("c", "3"))), []);
        Assert.Equal(3, Frames.Decode(frame, new CommandLimits { MaxHeaderFields = 3 }).Fields.Count);
        Assert.Throws<ProtocolException>(() => Frames.Decode(frame, new CommandLimits { MaxHeaderFields = 2 }));
    }
}
