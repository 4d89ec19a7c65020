using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Topics;

/// <summary>What happened to the topics, after it is on disk.</summary>
/// <param name="Put">Topics that were created or updated.</param>
/// <param name="Deleted">Names of topics that are gone.</param>
/// <param name="Version">The table's version after the change.</param>
public sealed record TopicChange(IReadOnlyList<Topic> Put, IReadOnlyList<string> Deleted, DataVersion Version);
