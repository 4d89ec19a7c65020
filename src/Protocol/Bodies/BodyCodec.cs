using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrayMQ.Protocol.Bodies.Json;

namespace GrayMQ.Protocol.Bodies;

/// <summary>
/// JSON bodies to bytes and back. Writes what fastjson 1.2.83 writes for the same object: fields in ordinal order of their
/// names, nulls left out, keys of maps that are numbers or objects not quoted. Reads that and more: quoted or unquoted
/// keys, single quotes, numbers in strings, unknown fields, nulls.
/// </summary>
public static class BodyCodec
{
    /// <summary>Nesting beyond this is refused; no RocketMQ body needs a third of it.</summary>
    public const int MaxDepth = 32;

    /// <summary>The body as UTF-8 JSON.</summary>
    /// <typeparam name="T">A record of this namespace.</typeparam>
    public static byte[] Encode<T>(T body, BodyJsonForm form = BodyJsonForm.Fastjson) =>
        JsonSerializer.SerializeToUtf8Bytes(body, TypeInfo<T>(form));

    /// <summary>Writes the body as UTF-8 JSON.</summary>
    /// <typeparam name="T">A record of this namespace.</typeparam>
    public static void Encode<T>(IBufferWriter<byte> output, T body, BodyJsonForm form = BodyJsonForm.Fastjson)
    {
        using var writer = new Utf8JsonWriter(output, BodyJsonOptions.WriterOptions(form));
        JsonSerializer.Serialize(writer, body, TypeInfo<T>(form));
    }

    /// <summary>Reads a body.</summary>
    /// <typeparam name="T">A record of this namespace.</typeparam>
    /// <exception cref="BodyFormatException">It is not JSON, or not of this shape.</exception>
    public static T Decode<T>(in ReadOnlySequence<byte> json)
    {
        if (json.IsSingleSegment)
        {
            return Decode<T>(json.FirstSpan);
        }

        var length = checked((int)json.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            json.CopyTo(rented);
            return Decode<T>(rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <inheritdoc cref="Decode{T}(in ReadOnlySequence{byte})"/>
    public static T Decode<T>(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            throw new BodyFormatException($"{typeof(T).Name}: the body is empty");
        }

        try
        {
            return Parse<T>(json);
        }
        catch (JsonException strict)
        {
            // Standard JSON is the rule; fastjson's liberties are rare enough to pay for a second pass.
            var rewritten = new ArrayBufferWriter<byte>(json.Length + (json.Length / 8));
            if (!LenientJson.TryRewrite(json, rewritten, MaxDepth, out int stoppedAt))
            {
                ReadOnlySpan<byte> understood = json[..stoppedAt];
                int line = understood.Count((byte)'\n') + 1;
                int column = stoppedAt - (understood.LastIndexOf((byte)'\n') + 1) + 1;
                throw new BodyFormatException(
                    $"{typeof(T).Name}: no JSON, line {line}, byte {column} of it cannot be understood", strict);
            }

            try
            {
                return Parse<T>(rewritten.WrittenSpan);
            }
            catch (JsonException lenient)
            {
                throw Refused<T>(lenient);
            }
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> json)
    {
        var body = JsonSerializer.Deserialize(json, TypeInfo<T>(BodyJsonForm.Fastjson));
        return body is null ? throw new BodyFormatException($"{typeof(T).Name}: the body is null") : body;
    }

    private static BodyFormatException Refused<T>(JsonException cause) =>
        new($"{typeof(T).Name}: {(cause.Path is null ? "no JSON" : "unexpected JSON at " + cause.Path)}", cause);

    private static JsonTypeInfo<T> TypeInfo<T>(BodyJsonForm form) =>
        (JsonTypeInfo<T>)BodyJsonOptions.Of(form).GetTypeInfo(typeof(T));
}
