using GrayMQ.Filtering.Tags;

namespace GrayMQ.Filtering;

/// <summary>
/// What a consumer wants of a topic: a type, and an expression in that type's language, compiled. Of a type that is not known only the
/// text is kept, for those who answer that they do not know it.
/// </summary>
public sealed class SubscriptionExpression
{
    /// <summary>The type of tag expressions.</summary>
    public const string TagType = "TAG";

    /// <summary>The type of conditions on message properties, written as RocketMQ's SQL92.</summary>
    public const string Sql92Type = "SQL92";

    /// <summary>The type of conditions on message properties, written as old clients do.</summary>
    public const string HeaderType = "HEADER";

    private SubscriptionExpression(string type, string text, TagExpression? tags, FilterExpression? filter)
    {
        Type = type;
        Text = text;
        Tags = tags;
        Filter = filter;
    }

    /// <summary>Takes every message.</summary>
    public static SubscriptionExpression All { get; } = new(TagType, TagExpression.SubscribeAll, TagExpression.All, filter: null);

    /// <summary>Takes no message: what is left of an expression that cannot be understood.</summary>
    public static SubscriptionExpression Nothing { get; } = new(TagType, "", TagExpression.Parse(" "), filter: null);

    public string Type { get; }

    public string Text { get; }

    /// <summary>The tags; null when this is no tag expression.</summary>
    public TagExpression? Tags { get; }

    /// <summary>The condition on properties; null when this is none.</summary>
    public FilterExpression? Filter { get; }

    /// <summary>Whether a type, as clients send it, means tags: nothing said means tags. RocketMQ: ExpressionType.isTagType.</summary>
    public static bool IsTagType(string? type) => string.IsNullOrEmpty(type) || type == TagType;

    /// <summary>Reads an expression.</summary>
    /// <exception cref="ExpressionSyntaxException">It cannot be understood.</exception>
    public static SubscriptionExpression Parse(string? type, string? text)
    {
        if (IsTagType(type))
        {
            TagExpression tags = TagExpression.Parse(text);
            return tags.MatchesAll ? All : new SubscriptionExpression(TagType, tags.Text, tags, filter: null);
        }

        if (string.IsNullOrEmpty(text))
        {
            throw new ExpressionSyntaxException($"an expression of type {type} must not be empty");
        }

        FilterExpression? filter = type switch
        {
            Sql92Type => FilterExpression.Parse(FilterLanguage.Sql92, text),
            HeaderType => FilterExpression.Parse(FilterLanguage.Header, text),
            _ => null,
        };
        return new SubscriptionExpression(type!, text, tags: null, filter);
    }

    public override string ToString() => $"{Type}:{Text}";
}
