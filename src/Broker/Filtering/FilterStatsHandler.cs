using GrayMQ.Broker.Clients;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Filtering;

/// <summary>Tells what is done for a topic's conditions: SHOW_FILTERS (30040), which is this project's own. Belongs on the thread pool.</summary>
/// <param name="indexes">Null when subscriptions are not indexed.</param>
internal sealed class FilterStatsHandler(FilterIndexes? indexes, ConsumerTable consumers)
{
    public ValueTask HandleAsync(RemotingRequest request, TopicHeader header)
    {
        TopicFilters? topic = indexes?.Find(header.Topic);
        FilterExpression[] subscribed =
        [
            .. consumers.Groups
                .Select(group => group.FindSubscription(header.Topic)?.Expression.Filter)
                .OfType<FilterExpression>(),
        ];
        FilterVersion? version = topic?.Current;
        request.Reply(BodyCodec.Encode(new FilterStats
        {
            IsIndexed = indexes is not null,
            IndexedProperty = version?.IndexedProperty,
            Subscriptions = subscribed.Length,
            NotIndexed = subscribed.Count(expression => topic?.Find(expression) is null),
            Expressions = version?.Index.Count ?? 0,
            Clauses = version?.Index.ClauseCount ?? 0,
            Messages = topic?.Statistics.Messages ?? 0,
            LookUps = topic?.Statistics.LookUps ?? 0,
            Evaluations = topic?.Statistics.Evaluations ?? 0,
            Matches = topic?.Statistics.Matches ?? 0,
            KeptBytes = topic?.Statistics.KeptBytes ?? 0,
            NotKept = topic?.Statistics.NotKept ?? 0,
            LookedAt = topic?.Statistics.LookedAt ?? 0,
        }));
        return ValueTask.CompletedTask;
    }
}
