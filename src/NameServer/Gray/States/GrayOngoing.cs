using System.Text.Json;
using System.Text.Json.Serialization;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Gray.States;

/// <summary>A change that has begun and not ended, with what brokers owe to it.</summary>
/// <param name="Name">Of its row, see <see cref="GrayNames"/>.</param>
/// <param name="Since">The version with which it began, or was forced.</param>
/// <param name="Parts">Whether each broker that owes has done its part, by its name.</param>
internal sealed record GrayOngoing(
    string Name, GrayAction Action, long Since, long StartedMs, IReadOnlyDictionary<string, bool> Parts)
{
    /// <summary>Whether nobody owes anything any longer.</summary>
    public bool IsDone => Parts.Values.All(done => done);

    public IEnumerable<string> Owing => Parts.Where(part => !part.Value).Select(part => part.Key);
}

/// <summary>The row of a change, as JSON.</summary>
internal sealed record GrayOngoingRow(GrayAction Action, long Since, long StartedMs)
{
    public string ToJson() => JsonSerializer.Serialize(this, GrayRowJson.Default.GrayOngoingRow);

    /// <exception cref="JsonException">It is no such row.</exception>
    public static GrayOngoingRow Read(string json) =>
        JsonSerializer.Deserialize(json, GrayRowJson.Default.GrayOngoingRow) ?? throw new JsonException("the row is null");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GrayOngoingRow))]
internal sealed partial class GrayRowJson : JsonSerializerContext;
