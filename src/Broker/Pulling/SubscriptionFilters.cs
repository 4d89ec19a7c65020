using System.Runtime.CompilerServices;
using GrayMQ.Filtering.Tags;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>The store's view of compiled subscriptions: one filter for each, kept as long as the subscription.</summary>
internal sealed class SubscriptionFilters
{
    private readonly ConditionalWeakTable<TagExpression, TagFilter> _filters = [];

    public IMessageFilter For(TagExpression tags) => _filters.GetValue(tags, static tags => new TagFilter(tags));

    /// <summary>
    /// Compares the hash code in the consume-queue entry. Codes of different tags may be equal; as in RocketMQ, clients look at the
    /// tag itself again.
    /// </summary>
    private sealed class TagFilter(TagExpression tags) : IMessageFilter
    {
        public bool NeedsMessage => false;

        public bool MatchesEntry(long tagsCode) => tags.MatchesCode(tagsCode);

        public bool MatchesMessage(in StoredMessage message) => true;
    }
}
