using System.Text.Json.Serialization;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>What a broker has on disk of one group with a release, as JSON: see docs/STORE_FORMAT.md.</summary>
internal sealed record GrayGroupState
{
    public required string Group { get; init; }

    public required long Generation { get; init; }

    /// <summary>Who owns the queues, by topic; the index is the queue id.</summary>
    public Dictionary<string, QueueOwnership[]> Topics { get; init; } = [];

    /// <summary>Which side subscribes to what.</summary>
    public List<GraySubscriber> Subscribers { get; init; } = [];

    /// <summary>On which side each client is, by client id; after the release's end, on which it was. They may hold queues by offsets of before.</summary>
    public Dictionary<string, GrayClient> Clients { get; init; } = [];

    /// <summary>Client ids of sides that a release has retired: this one, or those before.</summary>
    public List<string> Retired { get; init; } = [];

    /// <summary>When the release ended, ms since 1970; 0 while it has not.</summary>
    public long EndedMs { get; init; }

    /// <summary>The release as it ended; null while it has not.</summary>
    public GrayRelease? Ended { get; init; }

    /// <summary>Messages that were given up: skipped, or forced over.</summary>
    public long GivenUp { get; init; }
}

/// <summary>A client of a group with a release.</summary>
/// <param name="Address">From which it is, or was, connected; null where nobody knows.</param>
internal sealed record GrayClient(Side Side, string? Address);

/// <summary>That a side of a group subscribes to a topic.</summary>
/// <param name="AbsentSinceMs">Since when none of its clients that do is connected, ms since 1970; 0 while one is.</param>
internal sealed record GraySubscriber(Side Side, string Topic, long AbsentSinceMs);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GrayGroupState))]
internal sealed partial class GrayGroupStateContext : JsonSerializerContext;
