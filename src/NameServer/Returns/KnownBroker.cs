using System.Text.Json.Serialization;

namespace GrayMQ.NameServer.Returns;

/// <summary>A node by what stays the same when it comes back: its address may be another one then.</summary>
internal sealed record KnownBroker(string Cluster, string Name, long Id);

/// <summary>The file of known brokers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(KnownBroker[]))]
internal sealed partial class KnownBrokerJson : JsonSerializerContext;
