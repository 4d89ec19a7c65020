using System.Text;

namespace GrayMQ.Filtering.Tags;

public class TagExpressionTests
{
    // Expected codes are what Java's String.hashCode gives.
    [Theory]
    [InlineData("TagA", 2598919)]
    [InlineData("Aa", 2112)]
    [InlineData("BB", 2112)]
    [InlineData("polygenelubricants", int.MinValue)]
    [InlineData("标签", 857175)]
    public void Parse_OneTag_HasJavaHash(string tag, int code)
    {
        TagExpression expression = TagExpression.Parse(tag);

        Assert.Equal([tag], expression.Tags);
        Assert.Equal([code], expression.Codes.ToArray());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*")]
    public void Parse_NothingOrStar_MatchesAll(string? text)
    {
        TagExpression expression = TagExpression.Parse(text);

        Assert.True(expression.MatchesAll);
        Assert.Equal("*", expression.Text);
        Assert.True(expression.MatchesCode(0));
        Assert.True(expression.MatchesCode(2598919));
        Assert.True(expression.MatchesTag("anything"u8));
        Assert.True(expression.MatchesTag(default));
    }

    [Theory]
    [InlineData("TagA || TagB", "TagA,TagB")]
    [InlineData("TagA||TagB||", "TagA,TagB")]
    [InlineData(" TagA ||\tTagB || TagA", "TagA,TagB")]
    [InlineData("|||TagA", "|TagA")]
    [InlineData("* || TagA", "*,TagA")]
    [InlineData("TagA | TagB", "TagA | TagB")]
    [InlineData(" ", "")]
    [InlineData(" || ", "")]
    public void Parse_SeveralParts_SplitsAsFilterApi(string text, string tags)
    {
        TagExpression expression = TagExpression.Parse(text);

        Assert.False(expression.MatchesAll);
        Assert.Equal(tags.Split(',', StringSplitOptions.RemoveEmptyEntries), expression.Tags);
        Assert.Equal(text, expression.Text);
    }

    [Theory]
    [InlineData("||")]
    [InlineData("||||")]
    public void Parse_SeparatorsOnly_IsRefused(string text) =>
        Assert.Throws<ExpressionSyntaxException>(() => TagExpression.Parse(text));

    [Fact]
    public void Parse_TooLong_IsRefused()
    {
        TagExpression.Parse(new string('a', TagExpression.MaxLength));
        Assert.Throws<ExpressionSyntaxException>(() => TagExpression.Parse(new string('a', TagExpression.MaxLength + 1)));
    }

    [Fact]
    public void Match_CollidingTags_PassByCodeAndFailByText()
    {
        TagExpression expression = TagExpression.Parse("Aa");

        Assert.True(expression.MatchesCode(2112));
        Assert.True(expression.MatchesTag("Aa"u8));
        Assert.False(expression.MatchesTag("BB"u8));
        Assert.False(expression.MatchesTag("A"u8));
        Assert.False(expression.MatchesTag(default));
    }

    [Fact]
    public void MatchesCode_NegativeHash_MatchesSignExtendedAndTruncatedEntry()
    {
        TagExpression expression = TagExpression.Parse("polygenelubricants");

        Assert.True(expression.MatchesCode(int.MinValue));
        Assert.True(expression.MatchesCode(0x80000000L));
        Assert.False(expression.MatchesCode(0));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(500)]
    public void Match_ManyTags_MatchesEachAndNoOther(int count)
    {
        string[] tags = [.. Enumerable.Range(0, count).Select(i => $"tag-{i}")];
        TagExpression expression = TagExpression.Parse(string.Join(" || ", tags));

        foreach (string tag in tags)
        {
            Assert.True(expression.MatchesTag(Encoding.UTF8.GetBytes(tag)));
            Assert.True(expression.MatchesCode(TagExpression.Parse(tag).Codes[0]));
        }

        Assert.False(expression.MatchesCode(TagExpression.Parse("other").Codes[0]));
        Assert.False(expression.MatchesTag("other"u8));
    }

    [Fact]
    public void Match_Repeated_AllocatesNothing()
    {
        TagExpression expression = TagExpression.Parse("TagA || TagB");
        bool matched = Match(expression);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            matched &= Match(expression);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(matched);

        static bool Match(TagExpression expression) => expression.MatchesCode(2598919) && expression.MatchesTag("TagB"u8);
    }
}
