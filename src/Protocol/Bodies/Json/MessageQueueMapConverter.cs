using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace GrayMQ.Protocol.Bodies.Json;

/// <summary>
/// A map with queues for keys, which fastjson writes as objects: <c>{{"brokerName":"b","queueId":0,"topic":"t"}:1}</c>.
/// Reads the form in which <see cref="LenientJson"/> leaves it: the key's JSON text in a string.
/// </summary>
internal sealed class MessageQueueMapConverter<TValue> : JsonConverter<Dictionary<MessageQueue, TValue>>
{
    public override Dictionary<MessageQueue, TValue> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        var keys = (JsonTypeInfo<MessageQueue>)options.GetTypeInfo(typeof(MessageQueue));
        var values = (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue));
        var map = new Dictionary<MessageQueue, TValue>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = JsonSerializer.Deserialize(Encoding.UTF8.GetBytes(reader.GetString()!), keys);
            reader.Read();
            map[key] = JsonSerializer.Deserialize(ref reader, values) ?? throw new JsonException();
        }

        return map;
    }

    public override void Write(
        Utf8JsonWriter writer, Dictionary<MessageQueue, TValue> value, JsonSerializerOptions options)
    {
        var keys = (JsonTypeInfo<MessageQueue>)options.GetTypeInfo(typeof(MessageQueue));
        var values = (JsonTypeInfo<TValue>)options.GetTypeInfo(typeof(TValue));
        var buffer = new ArrayBufferWriter<byte>(64 + (value.Count * 128));
        using var nested = new Utf8JsonWriter(buffer, writer.Options);
        var separator = "{"u8;
        foreach (var (key, item) in value)
        {
            buffer.Write(separator);
            WriteWhole(nested, key, keys);
            buffer.Write(":"u8);
            WriteWhole(nested, item, values);
            separator = ","u8;
        }

        buffer.Write(value.Count == 0 ? "{}"u8 : "}"u8);
        writer.WriteRawValue(buffer.WrittenSpan, skipInputValidation: true);
    }

    private static void WriteWhole<T>(Utf8JsonWriter writer, T value, JsonTypeInfo<T> type)
    {
        JsonSerializer.Serialize(writer, value, type);
        writer.Flush();
        writer.Reset();
    }
}
