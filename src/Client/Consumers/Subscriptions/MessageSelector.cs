using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Subscriptions;

/// <summary>Which messages of a topic a consumer wants (RocketMQ: MessageSelector).</summary>
public sealed record MessageSelector
{
    private const string TagType = "TAG";
    private const string SqlType = "SQL92";
    private const string TagSeparator = "||";

    private MessageSelector(string type, string expression)
    {
        Type = type;
        Expression = expression;
    }

    /// <summary>All messages.</summary>
    public static MessageSelector All { get; } = new(TagType, SubscriptionData.SubscribeAll);

    /// <summary>TAG or SQL92.</summary>
    public string Type { get; }

    /// <summary>The expression itself.</summary>
    public string Expression { get; }

    /// <summary>Messages with one of several tags.</summary>
    /// <param name="expression"><c>TagA || TagB</c>; <c>*</c>, null or an empty text is all messages.</param>
    /// <exception cref="ArgumentException">There is no tag in it.</exception>
    public static MessageSelector ByTag(string? expression)
    {
        if (string.IsNullOrWhiteSpace(expression) || expression == SubscriptionData.SubscribeAll)
        {
            return All;
        }

        return Tags(expression).Length > 0
            ? new MessageSelector(TagType, expression)
            : throw new ArgumentException($"'{expression}' holds no tag: expected tags separated by ||", nameof(expression));
    }

    /// <summary>Messages whose properties satisfy an expression; brokers have to have enablePropertyFilter.</summary>
    /// <param name="expression">For instance <c>a &gt; 5 AND b = 'x'</c>.</param>
    public static MessageSelector BySql(string expression)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(expression);
        return new MessageSelector(SqlType, expression);
    }

    /// <summary>As brokers are told.</summary>
    internal SubscriptionData ToSubscription(string topic, long version)
    {
        string[] tags = Type == TagType && Expression != SubscriptionData.SubscribeAll ? Tags(Expression) : [];
        return new SubscriptionData
        {
            Topic = topic,
            ExpressionType = Type,
            SubString = Expression,
            SubVersion = version,
            TagsSet = [.. tags.Distinct(StringComparer.Ordinal)],
            CodeSet = [.. tags.Select(tag => JavaStringHash.Of(tag.AsSpan())).Distinct()],
        };
    }

    private static string[] Tags(string expression) =>
        expression.Split(TagSeparator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
