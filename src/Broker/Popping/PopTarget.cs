using System.Text;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Topics;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// A topic as a group pops it: the names that belong to it, the pops that wait for it, and what the group subscribed to last, so
/// that no pop has to make any of them anew.
/// </summary>
internal sealed class PopTarget
{
    private KnownExpression? _expression;

    public PopTarget(string group, Topic topic)
    {
        Group = group;
        GroupUtf8 = Encoding.UTF8.GetBytes(group);
        Topic = topic;
        FirstRetry = new RetryName(TopicNames.PopRetryOf(topic.Name, group));
        SecondRetry = new RetryName(TopicNames.PopRetryOf(topic.Name, group, secondForm: true));
    }

    public string Group { get; }

    public ReadOnlyMemory<byte> GroupUtf8 { get; }

    public Topic Topic { get; }

    /// <summary><c>%RETRY%group_topic</c>.</summary>
    public RetryName FirstRetry { get; }

    /// <summary><c>%RETRY%group+topic</c>.</summary>
    public RetryName SecondRetry { get; }

    /// <summary>The pops that wait here.</summary>
    public PopWaiters Waiters { get; } = new();

    /// <summary>The filter for an expression as it stands in a request; the one that was read last is kept.</summary>
    /// <exception cref="RemotingException">The expression cannot be understood, or is of a type that this broker does not know.</exception>
    public IMessageFilter? FilterFor(ReadOnlySpan<byte> type, ReadOnlySpan<byte> text, SubscriptionFilters filters)
    {
        if (text.IsEmpty || text.SequenceEqual("*"u8))
        {
            return null;
        }

        if (text.Length > RememberedExpressions.MaxTextBytes)
        {
            return filters.For(Topic.Name, filters.Parse(type, text));
        }

        KnownExpression? known = _expression;
        if (known is null || !type.SequenceEqual(known.Type) || !text.SequenceEqual(known.Text))
        {
            known = new KnownExpression(type.ToArray(), text.ToArray(), filters.Parse(type, text));
            _expression = known;
        }

        return filters.For(Topic.Name, known.Expression);
    }

    /// <summary>The name of a topic that may or may not be there.</summary>
    public sealed class RetryName(string name)
    {
        public string Name { get; } = name;

        public ReadOnlyMemory<byte> Utf8 { get; } = Encoding.UTF8.GetBytes(name);
    }

    private sealed record KnownExpression(byte[] Type, byte[] Text, SubscriptionExpression Expression);
}
