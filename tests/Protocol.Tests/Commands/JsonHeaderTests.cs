using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Tests.Messages;

namespace GrayMQ.Protocol.Tests.Commands;

public class JsonHeaderTests
{
    private static RemotingCommand Decode(string header) => Frames.Decode(Frames.Json(header));

    [Fact]
    public void Decode_EveryProperty_IsRead()
    {
        RemotingCommand command = Decode(
            """
            {"version":479,"code":310,"language":"GO","opaque":-7,"flag":2,"remark":"a\nb","extFields":{"a":"x"},
             "serializeTypeCurrentRPC":"JSON","somethingNew":{"deep":[1,{"er":null}]}}
            """);
        Assert.Equal(RequestCode.SendMessageV2, command.RequestCode);
        Assert.Equal(LanguageCode.Go, command.Language);
        Assert.Equal(-7, command.Opaque);
        Assert.Equal(479, command.Version);
        Assert.Equal("a\nb", command.Remark);
        Assert.True(command.IsOneWay);
        Assert.False(command.IsResponse);
        Assert.Equal("x", command.Fields.GetString("a"u8));
    }

    [Fact]
    public void Decode_RawNumbersAndBooleansInFields_ReadAsTheirText()
    {
        // ali-ons writes numbers and booleans without quotes.
        RemotingCommand command = Decode("""{"code":11,"extFields":{"queueId":3,"offset":9007199254740993,"ok":true,"no":false,"n":null}}""");
        Assert.Equal(3, command.Fields.GetInt32("queueId"u8));
        Assert.Equal(9007199254740993, command.Fields.GetInt64("offset"u8));
        Assert.True(command.Fields.GetBoolean("ok"u8));
        Assert.False(command.Fields.GetBoolean("no"u8));
        Assert.False(command.Fields.TryFind("n"u8, out _));
        Assert.Equal(4, command.Fields.Count);
    }

    [Fact]
    public void Decode_SecondUse_ForgetsTheFirst()
    {
        var command = new RemotingCommand();
        var first = new ReadOnlySequence<byte>(Frames.Json("""{"code":1,"opaque":5,"flag":3,"remark":"r","language":"JAVA","version":9,"extFields":{"a":"b"}}""", "body"));
        var second = new ReadOnlySequence<byte>(Frames.Json("""{"code":2,"extFields":null}"""));
        Assert.True(Frame.TryRead(ref first, CommandLimits.Default, out Frame frame));
        command.Decode(in frame, CommandLimits.Default);
        Assert.True(Frame.TryRead(ref second, CommandLimits.Default, out frame));
        command.Decode(in frame, CommandLimits.Default);

        Assert.Equal((2, 0, 0, 0), (command.Code, command.Opaque, command.Flag, command.Version));
        Assert.Equal(LanguageCode.Other, command.Language);
        Assert.Null(command.Remark);
        Assert.Equal(0, command.Fields.Count);
        Assert.True(command.Body.IsEmpty);
    }

    [Theory]
    [InlineData("""\u0001\u0002""", "\u0001\u0002")]
    [InlineData("""\"\\\/\b\f\n\r\t""", "\"\\/\b\f\n\r\t")]
    [InlineData("""\u00e4\u4E2D\uFFFD""", "ä中\uFFFD")]
    [InlineData("""\uD83D\uDE00""", "😀")]
    [InlineData("""x\ud83d""", "x?")]
    [InlineData("""\ud83dx""", "?x")]
    [InlineData("""\ude00\ud83d""", "??")]
    [InlineData("""\ud83d\ud83d\ude00""", "?😀")]
    [InlineData("""\ud83d\n""", "?\n")]
    [InlineData("中文😀", "中文😀")]
    public void Decode_Escapes_ReadAsInJava(string escaped, string expected)
    {
        RemotingCommand command = Decode($$$"""{"code":1,"remark":"{{{escaped}}}","extFields":{"v":"{{{escaped}}}","n{{{escaped}}}":"1"}}""");
        Assert.Equal(expected, command.Fields.GetString("v"u8));
        Assert.Equal(expected, command.Remark);
        Assert.Equal("1", command.Fields.GetString(Encoding.UTF8.GetBytes("n" + expected)));
    }

    [Fact]
    public void Decode_BytesThatAreNoUtf8_ReadAsReplacementCharacters()
    {
        byte[] header = [.. "{\"code\":1,\"extFields\":{\"v\":\"a"u8, 0xC3, .. "b"u8, 0xFF, .. "\"}}"u8];
        RemotingCommand command = Frames.Decode(Frames.Of(0, header, []));
        Assert.Equal("a\uFFFDb\uFFFD", command.Fields.GetString("v"u8));
    }

    [Fact]
    public void Decode_DuplicateFields_TheLastCounts()
    {
        RemotingCommand command = Decode("""{"code":1,"code":2,"extFields":{"gone":"x"},"extFields":{"a":"1","b":"2","a":"3"}}""");
        Assert.Equal(2, command.Code);
        Assert.Equal("3", command.Fields.GetString("a"u8));
        Assert.Equal("3", command.Fields.ToDictionary()["a"]);
        Assert.False(command.Fields.TryFind("gone"u8, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    [InlineData("GET / HTTP/1.1")]
    [InlineData("""{"code":1""")]
    [InlineData("""{"code":1}}""")]
    [InlineData("""{"code":1} {"code":2}""")]
    [InlineData("""{"code":1,}""")]
    [InlineData("""{code:1}""")]
    [InlineData("""{"opaque":1}""")]
    [InlineData("""{"code":null}""")]
    [InlineData("""{"code":[1]}""")]
    [InlineData("""{"code":true}""")]
    [InlineData("""{"code":1.5}""")]
    [InlineData("""{"code":2147483648}""")]
    [InlineData("""{"code":1e400}""")]
    [InlineData("""{"code":99999999999999999999999999999999999999}""")]
    [InlineData("""{"code":"ten"}""")]
    [InlineData("""{"code":1,"opaque":4294967296}""")]
    [InlineData("""{"code":1,"flag":{}}""")]
    [InlineData("""{"code":1,"extFields":[]}""")]
    [InlineData("""{"code":1,"extFields":"a"}""")]
    [InlineData("""{"code":1,"extFields":{"a":{"b":"c"}}}""")]
    [InlineData("""{"code":1,"extFields":{"a":["b"]}}""")]
    [InlineData("""{"code":1,"extFields":{"a":"b}}""")]
    [InlineData("""{"code":1,"extFields":{"a":"\x"}}""")]
    [InlineData("""{"code":1,"extFields":{"a":"\u12"}}""")]
    [InlineData("""{"code":1,"x":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}""")]
    public void Decode_NoHeader_ThrowsProtocolException(string header) => Assert.Throws<ProtocolException>(() => Decode(header));

    [Fact]
    public void Decode_EveryTruncation_ThrowsProtocolException()
    {
        const string Header = """{"code":1,"extFields":{"a":"\u0041\\","b":12.5e3},"language":"JAVA","remark":"r","flag":0}""";
        for (int length = 0; length < Header.Length; length++)
        {
            Assert.Throws<ProtocolException>(() => Decode(Header[..length]));
        }
    }

    [Fact]
    public void Decode_NumberInQuotes_IsTaken() => Assert.Equal(310, Decode("""{"code":"310"}""").Code);

    [Fact]
    public void Decode_MoreFieldsThanAllowed_ThrowsProtocolException()
    {
        string fields = string.Join(',', Enumerable.Range(0, 11).Select(i => $"\"f{i}\":\"v{i}\""));
        byte[] frame = Frames.Json($$$"""{"code":1,"extFields":{{{{fields}}}}}""");
        Assert.Equal("v10", Frames.Decode(frame, new CommandLimits { MaxHeaderFields = 11 }).Fields.GetString("f10"u8));
        Assert.Throws<ProtocolException>(() => Frames.Decode(frame, new CommandLimits { MaxHeaderFields = 10 }));
    }

    [Fact]
    public void Decode_LongValuesInSplitHeader_AreWhole()
    {
        string value = new('v', 100_000);
        byte[] frame = Frames.Json($$$"""{"code":1,"extFields":{"long":"{{{value}}}\u0001","short":"s"}}""");
        RemotingCommand command = Frames.Decode(Sequences.Split(frame, 3, 10, 50_000));
        Assert.Equal(value + "\u0001", command.Fields.GetString("long"u8));
        Assert.Equal("s", command.Fields.GetString("short"u8));
    }
}
