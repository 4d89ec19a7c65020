using System.Collections.Frozen;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Sends that somebody makes to see whether the broker is there: they are served, and count for nothing. Everything that is no send counts
/// for nothing anyway.
/// </summary>
internal sealed class ProbeSends(IEnumerable<int> codes, IEnumerable<string> topics)
{
    private readonly FrozenSet<int> _codes = codes.ToFrozenSet();
    private readonly FrozenSet<string> _topics = topics.ToFrozenSet(StringComparer.Ordinal);

    public bool Contains(RequestCode code, Topic topic) => _topics.Contains(topic.Name) || _codes.Contains((int)code);
}
