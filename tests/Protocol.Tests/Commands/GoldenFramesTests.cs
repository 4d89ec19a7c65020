using System.Buffers;
using System.Text;
using System.Text.Json;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Tests.Messages;

namespace GrayMQ.Protocol.Tests.Commands;

/// <summary>Frames recorded between RocketMQ 5.3.3's own client, name server and broker.</summary>
public class GoldenFramesTests
{
    private static IEnumerable<(byte[] Frame, JsonElement? Header)> Recorded(string resource)
    {
        using Stream stream = typeof(GoldenFramesTests).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} is not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            JsonElement recorded = JsonDocument.Parse(line).RootElement;
            JsonElement header = recorded.GetProperty("header");
            yield return (recorded.GetProperty("frame").GetBytesFromBase64(), header.ValueKind == JsonValueKind.Null ? null : header);
        }
    }

    private static Dictionary<string, string> Fields(JsonElement header) =>
        header.TryGetProperty("extFields", out JsonElement fields)
            ? fields.EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetString()!)
            : [];

    private static void AssertSame(RemotingCommand expected, RemotingCommand actual)
    {
        Assert.Equal((expected.Code, expected.Opaque, expected.Flag), (actual.Code, actual.Opaque, actual.Flag));

        // A binary header cannot tell an empty text from none.
        Assert.Equal(expected.Remark ?? "", actual.Remark ?? "");
        bool emptyIsNone = actual.SerializeType == SerializeType.RocketMq;
        Assert.Equal(
            expected.Fields.ToDictionary().Where(field => !emptyIsNone || field.Value.Length > 0).ToDictionary(),
            actual.Fields.ToDictionary());
        Assert.Equal(expected.Body.ToArray(), actual.Body.ToArray());
    }

    [Fact]
    public void Decode_RecordedJsonFrames_GivesTheRecordedHeaders()
    {
        int frames = 0;
        foreach ((byte[] frame, JsonElement? recorded) in Recorded("json-headers.jsonl"))
        {
            JsonElement header = recorded!.Value;
            RemotingCommand command = Frames.Decode(frame);
            Assert.Equal(header.GetProperty("code").GetInt32(), command.Code);
            Assert.Equal(header.GetProperty("opaque").GetInt32(), command.Opaque);
            Assert.Equal(header.GetProperty("flag").GetInt32(), command.Flag);
            Assert.Equal(header.GetProperty("version").GetInt32(), command.Version);
            Assert.Equal(LanguageCode.Java, command.Language);
            Assert.Equal(header.TryGetProperty("remark", out JsonElement remark) ? remark.GetString() : null, command.Remark);
            Assert.Equal(Fields(header), command.Fields.ToDictionary());
            frames++;
        }

        Assert.True(frames > 100);
    }

    [Theory]
    [InlineData("json-headers.jsonl")]
    [InlineData("binary-headers.jsonl")]
    public void Decode_RecordedFrames_SurviveBothFormsAndAnySplit(string resource)
    {
        foreach ((byte[] frame, _) in Recorded(resource))
        {
            RemotingCommand command = Frames.Decode(frame);
            AssertSame(command, Frames.Decode(Frames.Encode(command, SerializeType.Json)));
            AssertSame(command, Frames.Decode(Frames.Encode(command, SerializeType.RocketMq)));
            AssertSame(command, Frames.Decode(Sequences.Split(frame, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)));
        }
    }

    [Fact]
    public void WriteRequest_FieldsOfRecordedBinaryFrames_GivesTheRecordedBytes()
    {
        int frames = 0;
        foreach ((byte[] frame, _) in Recorded("binary-headers.jsonl"))
        {
            RemotingCommand command = Frames.Decode(frame);
            Assert.Equal(SerializeType.RocketMq, command.SerializeType);

            // All but the byte that says which language the sender is written in.
            byte[] again = Frames.Encode(command, SerializeType.RocketMq);
            again[10] = (byte)LanguageCode.Java;
            Assert.Equal(frame, again);
            frames++;
        }

        Assert.True(frames > 20);
    }
}
