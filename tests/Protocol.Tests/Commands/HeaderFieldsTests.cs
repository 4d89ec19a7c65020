using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Tests.Commands;

public class HeaderFieldsTests
{
    private static HeaderFields Fields(string json) =>
        Frames.Decode(Frames.Json($$"""{"code":1,"extFields":{{json}}}""")).Fields;

    [Fact]
    public void Get_MissingField_ThrowsAndNamesIt()
    {
        HeaderFields fields = Fields("""{"other":"1"}""");
        Assert.Contains("queueId", Assert.Throws<HeaderFieldException>(() => fields.GetInt32("queueId"u8)).Message, StringComparison.Ordinal);
        Assert.Throws<HeaderFieldException>(() => fields.GetInt64("queueId"u8));
        Assert.Throws<HeaderFieldException>(() => fields.GetString("queueId"u8));
        Assert.Throws<HeaderFieldException>(() => fields.GetBoolean("queueId"u8));
        Assert.Null(fields.FindString("queueId"u8));
        Assert.Equal(5, fields.FindInt32("queueId"u8, 5));
        Assert.Equal(-1, fields.FindInt64("queueId"u8, -1));
        Assert.True(fields.FindBoolean("queueId"u8, true));
        Assert.True(fields.FindUtf8("queueId"u8).IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("99999999999999999999999999999999999999999")]
    [InlineData("null")]
    public void GetNumber_NoNumber_ThrowsAndNamesTheField(string value)
    {
        HeaderFields fields = Fields($$"""{"offset":"{{value}}"}""");
        Assert.Contains("offset", Assert.Throws<HeaderFieldException>(() => fields.GetInt64("offset"u8)).Message, StringComparison.Ordinal);
        Assert.Throws<HeaderFieldException>(() => fields.GetInt32("offset"u8));
        Assert.Throws<HeaderFieldException>(() => fields.FindInt32("offset"u8));
        Assert.Throws<HeaderFieldException>(() => fields.FindInt64("offset"u8));
    }

    [Fact]
    public void GetInt32_BeyondItsRange_Throws()
    {
        HeaderFields fields = Fields("""{"a":"2147483648","b":"-2147483649","c":"-2147483648"}""");
        Assert.Throws<HeaderFieldException>(() => fields.GetInt32("a"u8));
        Assert.Throws<HeaderFieldException>(() => fields.GetInt32("b"u8));
        Assert.Equal(int.MinValue, fields.GetInt32("c"u8));
        Assert.Equal(2147483648, fields.GetInt64("a"u8));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("TRUE", true)]
    [InlineData("True", true)]
    [InlineData("1", false)]
    [InlineData("", false)]
    [InlineData("yes", false)]
    public void GetBoolean_AnyText_ReadsAsJavaDoes(string value, bool expected) =>
        Assert.Equal(expected, Fields($$"""{"a":"{{value}}"}""").GetBoolean("a"u8));

    [Fact]
    public void Malformed_LineBreaksAndLongValues_DoNotReachTheMessage()
    {
        string message = Assert.Throws<HeaderFieldException>(
            () => Fields($$"""{"a":"1\r\nForged line\u001b[2J{{new string('x', 5000)}}"}""").GetInt32("a"u8)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.True(message.Length < 200, message);
    }

    [Fact]
    public void ValueAt_IndexOutOfRange_Throws()
    {
        HeaderFields fields = Fields("""{"a":"1"}""");
        Assert.Equal("a"u8.ToArray(), fields.NameAt(0).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => fields.ValueAt(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => fields.ValueAt(-1));
    }
}
