using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace GrayMQ.Protocol.Bodies.Json;

/// <summary>
/// A map with numbers for keys, in ascending order: <c>{0:"a",1:"b"}</c> as fastjson writes it, or with the keys quoted.
/// Reads the quoted form only; <see cref="LenientJson"/> brings the other into it.
/// </summary>
internal sealed class NumericKeyMapConverter<TKey, TValue>(bool quoted) : JsonConverter<Dictionary<TKey, TValue>>
    where TKey : struct, IBinaryInteger<TKey>
{
    public override Dictionary<TKey, TValue> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        var values = (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue));
        var map = new Dictionary<TKey, TValue>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TKey.TryParse(reader.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key))
            {
                throw new JsonException();
            }

            reader.Read();
            map[key] = JsonSerializer.Deserialize(ref reader, values) ?? throw new JsonException();
        }

        return map;
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<TKey, TValue> value, JsonSerializerOptions options)
    {
        var values = (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue));
        var buffer = new ArrayBufferWriter<byte>(64 + (value.Count * 32));
        using var nested = new Utf8JsonWriter(buffer, writer.Options);
        var separator = "{"u8;
        foreach (var (key, item) in value.OrderBy(static pair => pair.Key))
        {
            buffer.Write(separator);
            var name = key.ToString(null, CultureInfo.InvariantCulture);
            buffer.Write(Encoding.ASCII.GetBytes(quoted ? $"\"{name}\":" : $"{name}:"));
            JsonSerializer.Serialize(nested, item, values);
            nested.Flush();
            nested.Reset();
            separator = ","u8;
        }

        buffer.Write(value.Count == 0 ? "{}"u8 : "}"u8);
        writer.WriteRawValue(buffer.WrittenSpan, skipInputValidation: true);
    }
}
