using FsCheck;
using FsCheck.Fluent;

namespace GrayMQ.Gray.Tests;

public sealed class GrayQueuesTests
{
    [Theory]
    [InlineData(6, 2, new[] { 0, 5 }, new[] { 1, 2, 3, 4 })]
    [InlineData(8, 3, new[] { 0, 7, 1 }, new[] { 2, 3, 4, 5, 6 })]
    [InlineData(2, 1, new[] { 0 }, new[] { 1 })]
    [InlineData(5, 4, new[] { 0, 4, 1, 3 }, new[] { 2 })]
    public void Queues_OfATopic_AreTakenInTurnFromHeadAndTail(int queues, int size, int[] gray, int[] normal)
    {
        var of = new GrayQueues(queues, size);

        Assert.Equal(gray, of.Gray);
        Assert.Equal(normal, of.Normal);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 1)]
    [InlineData(4, 0)]
    [InlineData(4, -1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(GrayLimits.MaxQueues + 1, 2)]
    public void Queues_TooFewOrTooMany_AreRefused(int queues, int size)
    {
        Assert.NotNull(GrayQueues.Problem(queues, size));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GrayQueues(queues, size));
    }

    [Fact]
    public void Queues_BeyondTheCount_AreNormal()
    {
        var of = new GrayQueues(6, 2);

        Assert.Equal(Side.Normal, of.SideOf(6));
        Assert.Equal(6, of.Map(6, Side.Normal));
        Assert.Equal(Side.Gray, of.SideOf(of.Map(7, Side.Gray)));
    }

    [Fact]
    public void Queues_AnyCountAndSize_AreShareOutWithoutRest() => Prop.ForAll(Topics(), topic =>
    {
        var of = new GrayQueues(topic.Queues, topic.Size);

        Assert.Equal(topic.Size, of.Gray.Count);
        Assert.Equal(Enumerable.Range(0, topic.Queues), of.Gray.Concat(of.Normal).Order());
        Assert.All(of.Gray, id => Assert.Equal(Side.Gray, of.SideOf(id)));
        Assert.All(of.Normal, id => Assert.Equal(Side.Normal, of.SideOf(id)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Map_AnyQueue_KeepsWhatFitsAndMovesTheRestToTheSide() => Prop.ForAll(Topics(), topic =>
    {
        var of = new GrayQueues(topic.Queues, topic.Size);

        foreach (Side side in new[] { Side.Normal, Side.Gray })
        {
            for (int asked = 0; asked < topic.Queues * 2; asked++)
            {
                int used = of.Map(asked, side);
                Assert.Equal(side, of.SideOf(used));
                Assert.True(used == asked || of.SideOf(asked) != side);
                Assert.True(used < topic.Queues || used == asked);
                Assert.Equal(used, of.Map(asked, side));
            }
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Map_MessagesOfTheOtherSide_AreSpreadEvenly()
    {
        var of = new GrayQueues(12, 3);

        int[] counts = [.. Enumerable.Range(0, 12).Select(asked => of.Map(asked, Side.Gray)).GroupBy(id => id).Select(group => group.Count())];

        Assert.Equal(3, counts.Length);
        Assert.All(counts, count => Assert.InRange(count, 3, 5));
    }

    private static Arbitrary<(int Queues, int Size)> Topics() => (
        from size in Gen.Choose(1, 20)
        from more in Gen.Choose(1, 40)
        select (size + more, size)).ToArbitrary();
}
