using System.Runtime.CompilerServices;
using System.Text;
using GrayMQ.Broker.Filtering;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Tags;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>
/// The store's view of subscriptions: one filter for each that is compiled, kept as long as the subscription; and expressions that stand in
/// requests, which are not compiled anew for every request.
/// </summary>
/// <param name="filtersByProperties">RocketMQ: enablePropertyFilter.</param>
/// <param name="indexes">Null when subscriptions are not indexed.</param>
internal sealed class SubscriptionFilters(bool filtersByProperties, FilterIndexes? indexes)
{
    private readonly ConditionalWeakTable<SubscriptionExpression, IMessageFilter> _filters = [];
    private readonly RememberedExpressions _remembered = new();

    /// <summary>The filter of a subscription to a topic, as it is best just now; null when it takes everything.</summary>
    /// <exception cref="RemotingException">This broker does not filter by what it asks for (SYSTEM_ERROR).</exception>
    public IMessageFilter? For(string topic, SubscriptionExpression expression)
    {
        if (expression.Tags is { MatchesAll: true })
        {
            return null;
        }

        CheckType(expression);
        if (expression.Filter is { } filter && indexes?.Find(topic)?.Find(filter) is { } indexed)
        {
            return indexed;
        }

        return _filters.GetValue(
            expression, static each => each.Tags is { } tags ? new TagFilter(tags) : new PropertyFilter(each.Filter!));
    }

    /// <summary>Reads an expression that came from a client (UTF-8); one that came before is not read again.</summary>
    /// <exception cref="RemotingException">
    /// It cannot be understood (SUBSCRIPTION_PARSE_FAILED), or this broker does not filter by what it asks for (SYSTEM_ERROR).
    /// </exception>
    public SubscriptionExpression Parse(ReadOnlySpan<byte> type, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.SequenceEqual("*"u8))
        {
            return SubscriptionExpression.All;
        }

        if (!_remembered.TryFind(type, text, out SubscriptionExpression? expression))
        {
            string typeText = Encoding.UTF8.GetString(type);
            expression = Parse(typeText, Encoding.UTF8.GetString(text));
            _remembered.Add(typeText, expression, text.Length);
        }

        return expression;
    }

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public SubscriptionExpression Parse(string? type, string? text)
    {
        try
        {
            SubscriptionExpression expression = SubscriptionExpression.Parse(type, text);
            CheckType(expression);
            return expression;
        }
        catch (ExpressionSyntaxException e)
        {
            throw ParseFailed(e.Message);
        }
    }

    /// <summary>What a client is told whose expression cannot be understood.</summary>
    public static RemotingException ParseFailed(string problem) =>
        new(ResponseCode.SubscriptionParseFailed, $"parse the consumer's subscription failed: {problem}");

    private void CheckType(SubscriptionExpression expression)
    {
        if (expression.Tags is null && (expression.Filter is null || !filtersByProperties))
        {
            throw new RemotingException(
                ResponseCode.SystemError, $"The broker does not support consumer to filter message by {expression.Type}");
        }
    }

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

    /// <summary>Evaluates the condition on the properties as they are stored.</summary>
    private sealed class PropertyFilter(FilterExpression filter) : IMessageFilter
    {
        public bool NeedsMessage => true;

        public bool MatchesEntry(long tagsCode) => true;

        public bool MatchesMessage(in StoredMessage message) => filter.Matches(message.Properties);
    }
}
