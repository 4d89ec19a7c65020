using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// A frame taken apart by the book (RocketMQ: RemotingCommand, RocketMQSerializable) and without the product's own codec, which
/// is under test. Every field is what the bytes say: a header field that is no JSON string is an error here.
/// </summary>
internal sealed record WireFrame(
    int Code,
    int Flag,
    int Opaque,
    string? Remark,
    string Language,
    int Version,
    string Serialization,
    IReadOnlyDictionary<string, string> Fields,
    byte[] Body)
{
    private const int ResponseBit = 1;
    private const int OneWayBit = 2;

    // RocketMQ: RequestCode.REGISTER_BROKER
    private const int RegisterBroker = 103;

    private static readonly string[] Languages =
        ["JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS", "RUST", "NODE_JS"];

    public bool IsResponse => (Flag & ResponseBit) != 0;

    public bool IsOneWay => (Flag & OneWayBit) != 0;

    /// <summary>A broker registers with a name server.</summary>
    public bool IsRegistration => !IsResponse && Code == RegisterBroker;

    /// <param name="frame">A whole frame, its length prefix included.</param>
    public static WireFrame Decode(byte[] frame)
    {
        Assert.Equal(frame.Length - sizeof(int), BinaryPrimitives.ReadInt32BigEndian(frame));
        int typeAndLength = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4));
        int headerLength = typeAndLength & 0xFFFFFF;
        byte[] header = frame[8..(8 + headerLength)];
        byte[] body = frame[(8 + headerLength)..];
        return (typeAndLength >>> 24) switch
        {
            0 => DecodeJson(header, body),
            1 => DecodeBinary(header, body),
            int type => throw new InvalidDataException($"serialization type {type}"),
        };
    }

    private static WireFrame DecodeJson(byte[] header, byte[] body)
    {
        using JsonDocument json = JsonDocument.Parse(header);
        JsonElement root = json.RootElement;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (root.TryGetProperty("extFields", out JsonElement extFields))
        {
            foreach (JsonProperty field in extFields.EnumerateObject())
            {
                Assert.Equal(JsonValueKind.String, field.Value.ValueKind);
                fields.Add(field.Name, field.Value.GetString()!);
            }
        }

        string serialization = root.GetProperty("serializeTypeCurrentRPC").GetString()!;
        Assert.Equal("JSON", serialization);
        return new WireFrame(
            root.GetProperty("code").GetInt32(),
            root.GetProperty("flag").GetInt32(),
            root.GetProperty("opaque").GetInt32(),
            root.TryGetProperty("remark", out JsonElement remark) ? remark.GetString() : null,
            root.GetProperty("language").GetString()!,
            root.GetProperty("version").GetInt32(),
            serialization,
            fields,
            body);
    }

    // code 2, language 1, version 2, opaque 4, flag 4, remark 4 + n, fields 4 + (name 2 + n, value 4 + n) ...
    private static WireFrame DecodeBinary(byte[] header, byte[] body)
    {
        int at = 0;
        short code = BinaryPrimitives.ReadInt16BigEndian(Take(2));
        string language = Languages[Take(1)[0]];
        short version = BinaryPrimitives.ReadInt16BigEndian(Take(2));
        int opaque = BinaryPrimitives.ReadInt32BigEndian(Take(4));
        int flag = BinaryPrimitives.ReadInt32BigEndian(Take(4));
        string remark = Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadInt32BigEndian(Take(4))));
        int fieldBytes = BinaryPrimitives.ReadInt32BigEndian(Take(4));
        Assert.Equal(header.Length - at, fieldBytes);

        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        while (at < header.Length)
        {
            string name = Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadInt16BigEndian(Take(2))));
            fields.Add(name, Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadInt32BigEndian(Take(4)))));
        }

        return new WireFrame(code, flag, opaque, remark.Length == 0 ? null : remark, language, version, "ROCKETMQ", fields, body);

        byte[] Take(int count) => header[at..(at += count)];
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"code {Code}, flag {Flag}, opaque {Opaque}, {Fields.Count} fields, {Body.Length} bytes, {Remark}");
}
