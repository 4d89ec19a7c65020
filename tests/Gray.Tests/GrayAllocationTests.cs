namespace GrayMQ.Gray.Tests;

public sealed class GrayAllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(9)]
    public void Share_OfAllMembers_IsEachQueueOnceAndEachSideEvenly(int members)
    {
        var live = new GrayQueues(6, 2);
        int[] all = [.. Enumerable.Range(0, 12)];

        List<IReadOnlyList<int>> shares =
            [.. Enumerable.Range(0, members).Select(member => GrayAllocation.Share(all, queue => queue % 6, live, member, members))];

        Assert.Equal(all, shares.SelectMany(share => share).Order());
        foreach (Side side in new[] { Side.Normal, Side.Gray })
        {
            int[] counts = [.. shares.Select(share => share.Count(queue => live.SideOf(queue % 6) == side))];
            Assert.True(counts.Max() - counts.Min() <= 1);
        }
    }

    [Fact]
    public void Share_OfATopicThatIsNotGray_IsNeighbours() =>
        Assert.Equal([4, 5, 6], GrayAllocation.Share([.. Enumerable.Range(0, 10)], queue => queue, null, 1, 3));
}
