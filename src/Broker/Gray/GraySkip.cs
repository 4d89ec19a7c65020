using System.Text.Json.Serialization;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// That nobody is to get what a withdrawn gray side would have got later: what waited then, delayed or half, and what it failed. What lay in
/// its queues is passed over by the handovers. As it is on disk: see docs/STORE_FORMAT.md.
/// </summary>
internal sealed record GraySkip
{
    /// <summary>Of one group. Of the withdrawals before the last so many, what is due still is given to the group after all.</summary>
    public const int MaxPerGroup = 8;

    /// <summary>Where no limit is set yet.</summary>
    public const long Unlimited = long.MaxValue;

    public required string Group { get; init; }

    /// <summary>Of the release that was withdrawn.</summary>
    public required long Generation { get; init; }

    /// <summary>The topics whose gray queues were the gray side's, or held for it. Retry topics are not named.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>
    /// Physical offset of the withdrawal: a gray message that was accepted before, and is stored in its topic after, is skipped. 0 where the
    /// withdrawal was taken back.
    /// </summary>
    public required long Before { get; init; }

    /// <summary>
    /// What the gray side failed is skipped if it comes back between <see cref="Before"/> and here: to the group's next release, if there is one.
    /// </summary>
    public long RetriesBefore { get; init; } = Unlimited;

    /// <summary>When it was withdrawn, ms since 1970.</summary>
    public required long SinceMs { get; init; }

    /// <summary>Messages of the release that nobody got, as far as was counted.</summary>
    public long Skipped { get; init; }

    /// <summary>By topic and queue the offset behind the last message that was counted.</summary>
    public Dictionary<string, long[]> Counted { get; init; } = [];

    /// <summary>Whether anything is skipped by it.</summary>
    [JsonIgnore]
    public bool IsActive => Before > 0;
}

/// <summary>How a <see cref="GraySkip"/> is to be on disk; null for not at all.</summary>
internal readonly record struct GraySkipChange(string Group, long Generation, GraySkip? Now);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GraySkip))]
internal sealed partial class GraySkipContext : JsonSerializerContext;
