namespace GrayMQ.Gray.Tests;

public sealed class QueueOwnersTests
{
    // subscribers: n normal, g gray; queue: g gray queue of a gray topic, n normal queue of one, p queue of a topic that is not gray.
    [Theory]
    [InlineData("g", "ng", Side.Gray)]
    [InlineData("g", "g", Side.Gray)]
    [InlineData("g", "n", Side.Normal)]
    [InlineData("g", "", null)]
    [InlineData("n", "ng", Side.Normal)]
    [InlineData("n", "n", Side.Normal)]
    [InlineData("n", "g", null)]
    [InlineData("n", "", null)]
    [InlineData("p", "ng", Side.Normal)]
    [InlineData("p", "n", Side.Normal)]
    [InlineData("p", "g", Side.Gray)]
    [InlineData("p", "", null)]
    public void Owner_WhileOpen_FollowsRuleTwo(string queue, string subscribers, Side? owner) =>
        Assert.Equal(owner, Owner(Release(GrayReleaseState.Open), queue, subscribers));

    [Theory]
    [InlineData("g", "ng", Side.Gray)]
    [InlineData("g", "n", null)]
    [InlineData("n", "n", Side.Normal)]
    [InlineData("p", "n", Side.Normal)]
    public void Owner_WithHold_LeavesUnwantedGrayQueuesToNobody(string queue, string subscribers, Side? owner) => Assert.Equal(
        owner, Owner(Release(GrayReleaseState.Open) with { Unsubscribed = GrayUnsubscribed.Hold }, queue, subscribers));

    [Theory]
    [InlineData(GrayReleaseState.Promoting, "ng", Side.Normal)]
    [InlineData(GrayReleaseState.Promoting, "n", Side.Normal)]
    [InlineData(GrayReleaseState.Promoting, "g", null)]
    [InlineData(GrayReleaseState.Withdrawing, "ng", Side.Normal)]
    [InlineData(GrayReleaseState.Withdrawing, "g", null)]
    public void Owner_WhileTheGraySideEnds_IsTheNormalSide(GrayReleaseState state, string subscribers, Side? owner)
    {
        foreach (string queue in new[] { "g", "n", "p" })
        {
            Assert.Equal(owner, Owner(Release(state), queue, subscribers));
        }
    }

    [Theory]
    [InlineData("ng", Side.Gray)]
    [InlineData("g", Side.Gray)]
    [InlineData("n", null)]
    public void Owner_WhileTheNormalSideIsReplaced_IsTheGraySide(string subscribers, Side? owner)
    {
        GrayRelease release = Release(GrayReleaseState.Promoting) with { Promotion = GrayPromotion.Replace };
        foreach (string queue in new[] { "g", "n", "p" })
        {
            Assert.Equal(owner, Owner(release, queue, subscribers));
        }
    }

    private static Side? Owner(GrayRelease release, string queue, string subscribers) => QueueOwners.Of(
        release,
        isGrayTopic: queue != "p",
        isGray: queue == "g",
        new SideSet(subscribers.Contains('n', StringComparison.Ordinal), subscribers.Contains('g', StringComparison.Ordinal)));

    private static GrayRelease Release(GrayReleaseState state) => new()
    {
        Group = "billing",
        Generation = 1,
        State = state,
        Promotion = GrayPromotion.Join,
        Leftover = GrayLeftover.Normal,
    };
}
