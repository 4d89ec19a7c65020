namespace GrayMQ.Filtering;

public class SubscriptionExpressionTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("TAG")]
    public void Parse_TagType_IsCompiled(string? type)
    {
        SubscriptionExpression expression = SubscriptionExpression.Parse(type, "TagA || TagB");

        Assert.Equal("TAG", expression.Type);
        Assert.Equal(["TagA", "TagB"], expression.Tags!.Tags);
    }

    [Fact]
    public void Parse_TagTypeWithoutText_IsTheSharedAll()
    {
        Assert.Same(SubscriptionExpression.All, SubscriptionExpression.Parse("TAG", null));
        Assert.Same(SubscriptionExpression.All, SubscriptionExpression.Parse(null, "*"));
    }

    [Fact]
    public void Parse_OtherType_KeepsTheTextUncompiled()
    {
        SubscriptionExpression expression = SubscriptionExpression.Parse("SQL92", "a > 1");

        Assert.Equal("SQL92", expression.Type);
        Assert.Equal("a > 1", expression.Text);
        Assert.Null(expression.Tags);
        Assert.Throws<ExpressionSyntaxException>(() => SubscriptionExpression.Parse("SQL92", ""));
    }

    [Fact]
    public void Nothing_AnyMessage_DoesNotMatch()
    {
        Assert.False(SubscriptionExpression.Nothing.Tags!.MatchesCode(0));
        Assert.False(SubscriptionExpression.Nothing.Tags!.MatchesTag(default));
    }
}
