using System.Buffers;
using System.Text;
using System.Text.Json;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Tests.Commands;

public class CommandRoundTripTests
{
    private const int Rounds = 2_000;

    // Characters that are written differently, or take one to four bytes.
    private static readonly string[] Alphabet =
        ["a", "Z", "0", " ", "\"", "\\", "/", "\0", "\u0001", "\u0002", "\n", "\r", "\t", "\u001f", "\u007f", "ä", "\u2028", "中", "😀", "{", "}", ",", ":"];

    private static string Text(Random random, int maxLength)
    {
        var text = new StringBuilder();
        for (int length = random.Next(1, maxLength); length > 0; length--)
        {
            text.Append(Alphabet[random.Next(Alphabet.Length)]);
        }

        return text.ToString();
    }

    [Theory]
    [InlineData(SerializeType.Json, SerializeType.RocketMq)]
    [InlineData(SerializeType.RocketMq, SerializeType.Json)]
    public void Write_AnyFields_SurviveBothForms(SerializeType first, SerializeType second)
    {
        var random = new Random(20261121);
        var buffer = new HeaderBuffer();
        for (int round = 0; round < Rounds; round++)
        {
            var fields = new Dictionary<string, string>();
            for (int count = random.Next(20); count > 0; count--)
            {
                fields[Text(random, 20)] = Text(random, random.Next(10) == 0 ? 2_000 : 30);
            }

            int code = random.Next(short.MinValue, short.MaxValue + 1);
            int opaque = random.Next(int.MinValue, int.MaxValue);
            string? remark = random.Next(2) == 0 ? Text(random, 300) : null;
            byte[] body = new byte[random.Next(50)];
            random.NextBytes(body);
            var header = new AllFields(fields);
            CommandWriter.WriteResponse(buffer, first, (ResponseCode)code, opaque, remark, in header, body.Length);

            RemotingCommand once = Frames.Decode([.. buffer.Written, .. body]);
            RemotingCommand twice = Frames.Decode(Frames.Encode(once, second));
            foreach ((RemotingCommand command, SerializeType type) in new[] { (once, first), (twice, second) })
            {
                Assert.Equal((code, opaque, remark, type), (command.Code, command.Opaque, command.Remark, command.SerializeType));
                Assert.True(command.IsResponse);
                Assert.Equal(LanguageCode.DotNet, command.Language);
                Assert.Equal(RemotingCommand.CurrentVersion, command.Version);
                Assert.Equal(fields, command.Fields.ToDictionary());
                Assert.Equal(body, command.Body.ToArray());
            }
        }
    }

    [Fact]
    public void WriteRequest_Json_IsWhatOtherParsersRead()
    {
        var random = new Random(7);
        var buffer = new HeaderBuffer();
        for (int round = 0; round < Rounds; round++)
        {
            string value = Text(random, 200);
            var header = new AllFields(new Dictionary<string, string> { [value] = value });
            CommandWriter.WriteRequest(buffer, SerializeType.Json, RequestCode.SendMessage, 3, oneWay: true, in header, 0);
            using var json = JsonDocument.Parse(buffer.Written[Frame.PrefixBytes..].ToArray());
            Assert.Equal(value, json.RootElement.GetProperty("extFields").GetProperty(value).GetString());
            Assert.Equal(2, json.RootElement.GetProperty("flag").GetInt32());
            Assert.Equal("DOTNET", json.RootElement.GetProperty("language").GetString());
        }
    }

    [Fact]
    public void WriteResponse_CodeBeyondSixteenBits_GoesAsJson()
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteResponse(buffer, SerializeType.RocketMq, (ResponseCode)70_000, 1, null, default(NoHeader), 0);
        RemotingCommand command = Frames.Decode(buffer.Written.ToArray());
        Assert.Equal((70_000, SerializeType.Json), (command.Code, command.SerializeType));
    }

    [Fact]
    public void Write_NullFields_AreLeftOut()
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, SerializeType.Json, RequestCode.SendMessage, 1, oneWay: false, new SomeNulls(), 0);
        Assert.Equal(["number", "text", "truth"], Frames.Decode(buffer.Written.ToArray()).Fields.ToDictionary().Keys.Order());
    }

    [Fact]
    public void Write_HeaderTooLongForItsLength_Throws()
    {
        var header = new AllFields(new Dictionary<string, string> { ["a"] = new('x', 17 * 1024 * 1024) });
        Assert.Throws<InvalidOperationException>(() => CommandWriter.WriteResponse(
            new HeaderBuffer(), SerializeType.Json, ResponseCode.Success, 1, null, in header, 0));
    }

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public void Write_NameTooLongForItsLength_ThrowsOrFits(SerializeType type)
    {
        var buffer = new HeaderBuffer();
        var header = new AllFields(new Dictionary<string, string> { [new('n', 40_000)] = "v" });
        void Write() => CommandWriter.WriteResponse(buffer, type, ResponseCode.Success, 1, null, in header, 0);
        if (type == SerializeType.RocketMq)
        {
            Assert.Throws<OverflowException>(Write);
        }
        else
        {
            Write();
            Assert.Equal(1, Frames.Decode(buffer.Written.ToArray()).Fields.Count);
        }
    }

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public void Write_FieldsThatWereEncodedBefore_StandAmongTheOthers(SerializeType type)
    {
        var some = FixedFields.Of(new AllFields(new Dictionary<string, string> { ["a"] = "1 \"", ["b"] = "2" }));
        var none = FixedFields.Of(default(NoHeader));
        var buffer = new HeaderBuffer();
        CommandWriter.WriteResponse(buffer, type, ResponseCode.Success, 1, null, new FixedAndOthers(some, none), 0);

        Assert.Equal(
            new Dictionary<string, string> { ["a"] = "1 \"", ["b"] = "2", ["first"] = "-3", ["last"] = "x" },
            Frames.Decode(buffer.Written.ToArray()).Fields.ToDictionary());
    }

    // Before and behind others, and where there are none.
    private readonly struct FixedAndOthers(FixedFields some, FixedFields none) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write(none);
            writer.WritePlain("first"u8, -3);
            writer.Write(some);
            writer.Write(none);
            writer.WritePlain("last"u8, "x"u8);
        }
    }

    private readonly struct SomeNulls : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("text"u8, "t");
            writer.Write("noText"u8, (string?)null);
            writer.Write("number"u8, 1L);
            writer.Write("noNumber"u8, (long?)null);
            writer.Write("truth"u8, true);
            writer.Write("noTruth"u8, (bool?)null);
        }
    }
}
