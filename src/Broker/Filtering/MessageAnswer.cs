using GrayMQ.Filtering.Indexes;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Filtering;

/// <summary>Which of a topic's indexed expressions a message matches. Good for as long as its arrival is told of.</summary>
internal readonly record struct MessageAnswer(FilterVersion Version, MatchSet Matches)
{
    /// <summary>What it says of a filter; null when the index did not know it.</summary>
    public bool? Says(IMessageFilter filter) =>
        filter is IndexedExpression indexed && indexed.IsIn(Version.Generation) ? Matches.Contains(indexed.Id) : null;
}
