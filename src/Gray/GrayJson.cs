using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace GrayMQ.Gray;

/// <summary>The gray state is not what it should be; the message says where.</summary>
public sealed class GrayFormatException : Exception
{
    public GrayFormatException(string message)
        : base(message)
    {
    }

    public GrayFormatException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>
/// Gray values as JSON, on the wire and on disk. What is read is held against <see cref="GrayLimits"/>, and against the rules of each
/// value, before anybody sees it.
/// </summary>
public static class GrayJson
{
    private const int MaxDepth = 16;

    private static readonly GrayJsonContext Context = new(new JsonSerializerOptions
    {
        MaxDepth = MaxDepth,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters =
        {
            new JsonStringEnumConverter<Side>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayTopicState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayRuleKind>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayReleaseKind>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayReleaseState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayPromotion>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayLeftover>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<GrayUnsubscribed>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
        },
    });

    public static byte[] Encode(GraySnapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, Context.GraySnapshot);

    public static byte[] Encode(GrayProgress progress) => JsonSerializer.SerializeToUtf8Bytes(progress, Context.GrayProgress);

    /// <summary>A topic by itself, as a row of the name servers' database holds it.</summary>
    public static byte[] Encode(GrayTopic topic) => JsonSerializer.SerializeToUtf8Bytes(topic, Context.GrayTopic);

    /// <summary>A release by itself, as a row of the name servers' database holds it.</summary>
    public static byte[] Encode(GrayRelease release) => JsonSerializer.SerializeToUtf8Bytes(release, Context.GrayRelease);

    /// <exception cref="GrayFormatException">It is not JSON, not of this shape, too big, or against the rules.</exception>
    public static GraySnapshot DecodeSnapshot(in ReadOnlySequence<byte> json)
    {
        GraySnapshot snapshot = Decode(json, Context.GraySnapshot);
        GrayCheck.Check(snapshot);
        return snapshot;
    }

    /// <inheritdoc cref="DecodeSnapshot"/>
    public static GrayProgress DecodeProgress(in ReadOnlySequence<byte> json)
    {
        GrayProgress progress = Decode(json, Context.GrayProgress);
        GrayCheck.Check(progress);
        return progress;
    }

    /// <inheritdoc cref="DecodeSnapshot"/>
    public static GrayTopic DecodeTopic(in ReadOnlySequence<byte> json)
    {
        GrayTopic topic = Decode(json, Context.GrayTopic);
        GrayCheck.Check(topic);
        return topic;
    }

    /// <inheritdoc cref="DecodeSnapshot"/>
    public static GrayRelease DecodeRelease(in ReadOnlySequence<byte> json)
    {
        GrayRelease release = Decode(json, Context.GrayRelease);
        GrayCheck.Check(release);
        return release;
    }

    private static T Decode<T>(in ReadOnlySequence<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (json.Length > GrayLimits.MaxBytes)
        {
            throw new GrayFormatException($"{typeof(T).Name} has {json.Length} bytes: {GrayLimits.MaxBytes} are the limit");
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            T value = JsonSerializer.Deserialize(ref reader, type)
                ?? throw new GrayFormatException($"{typeof(T).Name} is null");
            return reader.Read() ? throw new GrayFormatException($"{typeof(T).Name} has something behind its end") : value;
        }
        catch (JsonException e)
        {
            throw new GrayFormatException($"{typeof(T).Name} cannot be read: {e.Message}", e);
        }
    }
}

[JsonSerializable(typeof(GraySnapshot))]
[JsonSerializable(typeof(GrayProgress))]
internal sealed partial class GrayJsonContext : JsonSerializerContext;
