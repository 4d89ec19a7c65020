using System.Text;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Tags;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Fuzz.Targets;

/// <summary>Tag subscriptions: each tag that was named matches, by text and by hash, and the text says the same again.</summary>
internal sealed class TagExpressionTarget : FuzzTarget
{
    public override string Name => "tag-expression";

    public override IReadOnlyList<byte[]> Tokens { get; } = [.. new[] { "||", "*", " ", "|", "\t", "TagA", "ä", "😀", "\0" }.Select(Encoding.UTF8.GetBytes)];

    private static readonly string[] Expressions = ["*", "TagA", "TagA || TagB", "a||b||c||d", " a || b "];

    public override IEnumerable<byte[]> Seeds() => Expressions.Select(Encoding.UTF8.GetBytes);

    public override bool Run(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        TagExpression expression;
        try
        {
            expression = TagExpression.Parse(text);
            FindingException.Unless(SubscriptionExpression.Parse("TAG", text).Tags is not null, "a tag expression has no tags");
        }
        catch (ExpressionSyntaxException)
        {
            return false;
        }

        foreach (string tag in expression.Tags)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(tag);
            FindingException.Unless(expression.MatchesTag(utf8), $"'{tag}' does not match its own expression");
            FindingException.Unless(expression.MatchesCode(TagsCode.Of(utf8)), $"'{tag}' does not match by its hash");
        }

        TagExpression again = TagExpression.Parse(expression.Text);
        FindingException.Unless(
            again.MatchesAll == expression.MatchesAll && again.Tags.SequenceEqual(expression.Tags),
            "the expression's text means something else");
        return true;
    }
}
