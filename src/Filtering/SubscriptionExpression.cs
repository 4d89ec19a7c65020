using GrayMQ.Filtering.Tags;

namespace GrayMQ.Filtering;

/// <summary>
/// What a consumer wants of a topic: a type, and an expression in that type's language. Tag expressions are compiled;
/// of any other type only the text is kept, for those who answer that they do not know it.
/// </summary>
public sealed class SubscriptionExpression
{
    /// <summary>The type of tag expressions.</summary>
    public const string TagType = "TAG";

    /// <summary>The type of conditions on message properties.</summary>
    public const string Sql92Type = "SQL92";

    private SubscriptionExpression(string type, string text, TagExpression? tags)
    {
        Type = type;
        Text = text;
        Tags = tags;
    }

    /// <summary>Takes every message.</summary>
    public static SubscriptionExpression All { get; } = new(TagType, TagExpression.SubscribeAll, TagExpression.All);

    /// <summary>Takes no message: what is left of an expression that cannot be understood.</summary>
    public static SubscriptionExpression Nothing { get; } = new(TagType, "", TagExpression.Parse(" "));

    public string Type { get; }

    public string Text { get; }

    /// <summary>The compiled tags; null when this is no tag expression.</summary>
    public TagExpression? Tags { get; }

    /// <summary>Whether a type, as clients send it, means tags: nothing said means tags. RocketMQ: ExpressionType.isTagType.</summary>
    public static bool IsTagType(string? type) => string.IsNullOrEmpty(type) || type == TagType;

    /// <summary>Reads an expression.</summary>
    /// <exception cref="ExpressionSyntaxException">It cannot be understood.</exception>
    public static SubscriptionExpression Parse(string? type, string? text)
    {
        if (IsTagType(type))
        {
            TagExpression tags = TagExpression.Parse(text);
            return tags.MatchesAll ? All : new SubscriptionExpression(TagType, tags.Text, tags);
        }

        return string.IsNullOrEmpty(text)
            ? throw new ExpressionSyntaxException($"an expression of type {type} must not be empty")
            : new SubscriptionExpression(type!, text, tags: null);
    }

    public override string ToString() => $"{Type}:{Text}";
}
