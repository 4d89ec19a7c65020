using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.Consumers;

public class MessageSelectorTests
{
    [Fact]
    public void ByTag_SeveralTags_GivesTheirJavaHashCodes()
    {
        SubscriptionData subscription = MessageSelector.ByTag(" TagA|| TagB ||TagA").ToSubscription("t", 5);

        Assert.Equal(["TagA", "TagB"], subscription.TagsSet);
        Assert.Equal([2598919, 2598920], subscription.CodeSet);
        Assert.Equal(" TagA|| TagB ||TagA", subscription.SubString);
        Assert.Equal("TAG", subscription.ExpressionType);
        Assert.Equal(5, subscription.SubVersion);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*")]
    public void ByTag_All_HasNoTags(string? expression)
    {
        SubscriptionData subscription = MessageSelector.ByTag(expression).ToSubscription("t", 5);

        Assert.Empty(subscription.TagsSet);
        Assert.Empty(subscription.CodeSet);
        Assert.Equal("*", subscription.SubString);
    }

    [Fact]
    public void ByTag_NoTagAtAll_IsRefused() => Assert.Throws<ArgumentException>(() => MessageSelector.ByTag("|| ||"));

    [Fact]
    public void BySql_GoesAsItIs()
    {
        SubscriptionData subscription = MessageSelector.BySql("a > 5").ToSubscription("t", 5);

        Assert.Equal("SQL92", subscription.ExpressionType);
        Assert.Equal("a > 5", subscription.SubString);
        Assert.Empty(subscription.TagsSet);
    }
}
