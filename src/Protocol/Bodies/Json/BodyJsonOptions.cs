using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace GrayMQ.Protocol.Bodies.Json;

/// <summary>How bodies are written and read, per dialect.</summary>
internal static class BodyJsonOptions
{
    // Strings go out as they are except what JSON itself forbids: the text never reaches a browser.
    private static readonly JsonSerializerOptions Fastjson =
        NewOptions(quotedKeys: false, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    private static readonly JsonSerializerOptions Standard =
        NewOptions(quotedKeys: true, JavaScriptEncoder.Create(UnicodeRanges.BasicLatin));

    public static JsonSerializerOptions Of(BodyJsonForm form) => form == BodyJsonForm.Fastjson ? Fastjson : Standard;

    public static JsonWriterOptions WriterOptions(BodyJsonForm form) => new()
    {
        Encoder = Of(form).Encoder,
        SkipValidation = true,
    };

    private static JsonSerializerOptions NewOptions(bool quotedKeys, JavaScriptEncoder encoder) => new()
    {
        TypeInfoResolver = BodyJsonContext.Default,
        AllowTrailingCommas = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = encoder,
        MaxDepth = BodyCodec.MaxDepth,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        PropertyNameCaseInsensitive = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters =
        {
            new JavaDoubleConverter(),
            new NumericKeyMapConverter<int, int>(quotedKeys),
            new NumericKeyMapConverter<int, long>(quotedKeys),
            new NumericKeyMapConverter<int, List<LogicQueueMappingItem>>(quotedKeys),
            new NumericKeyMapConverter<long, string>(quotedKeys),
            new MessageQueueMapConverter<long>(),
            new MessageQueueMapConverter<OffsetWrapper>(),
            new MessageQueueMapConverter<PopProcessQueueInfo>(),
            new MessageQueueMapConverter<ProcessQueueInfo>(),
            new MessageQueueMapConverter<TopicOffset>(),
        },
    };
}
