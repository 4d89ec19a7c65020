using System.Text.Json.Serialization;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Which queues of a topic are gray here, and which were, as it is on disk: see docs/STORE_FORMAT.md.</summary>
internal sealed record TopicMapping
{
    /// <summary>Changes that are remembered. Of more than so many before anybody has consumed what lay there, keys keep no order.</summary>
    public const int MaxChanges = 8;

    public required string Topic { get; init; }

    /// <summary>Whether there is nothing to remember.</summary>
    [JsonIgnore]
    public bool IsEmpty => Now.IsNone && Changes.Count == 0;

    public required QueueMapping Now { get; init; }

    /// <summary>The last changes, oldest first.</summary>
    public IReadOnlyList<MappingChange> Changes { get; init; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TopicMapping))]
internal sealed partial class TopicMappingContext : JsonSerializerContext;
