using FsCheck;
using FsCheck.Fluent;

namespace GrayMQ.Gray.Tests;

public sealed class QueueOwnershipTests
{
    private static readonly QueueOwnership Normals = QueueOwnership.Of(Side.Normal, 10);

    [Fact]
    public void Handover_Begun_CapsTheOwnerAtTheBoundary()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100));

        Assert.True(handed.Allows(Side.Normal, 99));
        Assert.False(handed.Allows(Side.Normal, 100));
        Assert.False(handed.Allows(Side.Gray, 100));
        Assert.Equal(100, handed.Boundary);
    }

    [Theory]
    [InlineData(99, 0, 0, true, false)]
    [InlineData(100, 0, 0, true, true)]
    [InlineData(100, 1, 0, true, false)]
    [InlineData(120, 0, 0, true, true)]
    [InlineData(40, 0, 100, true, true)]
    [InlineData(40, 0, 99, true, false)]
    [InlineData(40, 0, 0, false, true)]
    [InlineData(-1, 0, 0, true, false)]
    public void Handover_IsOver_WhenEverythingBeforeTheBoundaryIsConsumedOrGone(
        long committed, int unacked, long min, bool ownerSubscribes, bool isOver)
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100));

        HandoverLook look = handed.Look(new QueueFacts(committed, min, unacked, ownerSubscribes, OwnerClients: 1, Forced: 0, NowMs: 5));

        Assert.Equal(isOver, look.IsOver);
        Assert.Equal(isOver, look.Reason is null);
        Assert.Equal(0, look.GivenUp);
    }

    [Fact]
    public void Handover_Complete_BelongsToTheNextFromWhereTheGroupIs()
    {
        QueueOwnership after = Normals.Retarget(Side.Gray, Terms(100)).Complete(104);

        Assert.Equal(QueueOwnership.Of(Side.Gray, 104), after);
        Assert.True(after.Allows(Side.Gray, 104));
        Assert.False(after.Allows(Side.Normal, 104));
    }

    [Fact]
    public void Handover_Forced_EndsAndCountsWhatIsGivenUp()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100) with { Forced = 2 });
        var facts = new QueueFacts(90, 0, 0, OwnerSubscribes: true, OwnerClients: 1, Forced: 2, NowMs: 5);

        Assert.False(handed.Look(facts).IsOver);
        HandoverLook forced = handed.Look(facts with { Forced = 3, Unacked = 4 });

        Assert.True(forced.IsOver);
        Assert.Equal(14, forced.GivenUp);
        Assert.Equal(90, handed.Complete(90).Start);
    }

    [Fact]
    public void Handover_WithADeadline_EndsThenWhereverItIs()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100) with { DeadlineMs = 50 });
        var facts = new QueueFacts(90, 0, 0, OwnerSubscribes: true, OwnerClients: 1, Forced: 0, NowMs: 49);

        Assert.False(handed.Look(facts).IsOver);
        Assert.True(handed.Look(facts with { NowMs = 50 }).IsOver);
    }

    [Fact]
    public void Handover_ThatSkips_BeginsBehindWhatIsSkipped() =>
        Assert.Equal(130, Normals.Retarget(Side.Gray, Terms(100) with { SkipTo = 130 }).Complete(100).Start);

    [Fact]
    public void Handover_Cancelled_IsAsIfItHadNotBegun() =>
        Assert.Equal(Normals, Normals.Retarget(Side.Gray, Terms(100)).Retarget(Side.Normal, Terms(300)));

    [Fact]
    public void Handover_ToAnother_KeepsItsBoundary()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100)).Retarget(null, Terms(300));

        Assert.Equal(100, handed.Boundary);
        Assert.Null(handed.Next);
        Assert.True(handed.IsHandedOver);
    }

    [Fact]
    public void Queue_OfNobody_IsGivenAwayAtOnceFromWhereItBegan() =>
        Assert.Equal(QueueOwnership.Of(Side.Gray, 7), QueueOwnership.Of(null, 7).Retarget(Side.Gray, Terms(100)));

    [Fact]
    public void Handover_ThatDoesNotMove_SaysWhy()
    {
        QueueOwnership handed = QueueOwnership.Of(Side.Gray, 0).Retarget(Side.Normal, Terms(100));
        var facts = new QueueFacts(60, 0, 0, OwnerSubscribes: true, OwnerClients: 0, Forced: 0, NowMs: 5);

        Assert.Equal("no gray client is connected: 40 messages before offset 100 wait for one", handed.Look(facts).Reason);
        Assert.Equal(
            "the gray side has 40 messages before offset 100 to consume", handed.Look(facts with { OwnerClients = 2 }).Reason);
        Assert.Equal(
            "3 popped messages before offset 100 are not acknowledged",
            handed.Look(facts with { OwnerClients = 2, Committed = 100, Unacked = 3 }).Reason);
    }

    /// <summary>
    /// A queue, its two sides and whoever turns it over act at random: each message is consumed once, and by nobody but the side that owned
    /// it then.
    /// </summary>
    [Fact]
    public void Handovers_AnyOrderOfEvents_GiveEachMessageToOneSideOnce() => Prop.ForAll(
        Gen.Choose(0, 99).ArrayOf().ToArbitrary(),
        steps =>
        {
            var state = QueueOwnership.Of(Side.Normal, 0);
            long max = 0;
            long committed = 0;
            var consumedBy = new List<Side>();
            foreach (int step in steps)
            {
                switch (step % 5)
                {
                    case 0:
                        max += 1 + (step / 10);
                        break;
                    case 1:
                        state = state.Retarget(
                            (step / 5 % 3) switch { 0 => Side.Normal, 1 => Side.Gray, _ => null }, Terms(max));
                        break;
                    case 2 or 3:
                        Side side = step % 2 == 0 ? Side.Normal : Side.Gray;
                        for (int i = 0; i < step / 20 && committed < max && state.Allows(side, committed); i++)
                        {
                            consumedBy.Add(side);
                            committed++;
                        }

                        break;
                    default:
                        QueueFacts facts = new(committed, 0, 0, OwnerSubscribes: true, OwnerClients: 1, Forced: 0, NowMs: 0);
                        if (state.Look(facts).IsOver)
                        {
                            Assert.True(committed >= state.Boundary || state.Owner is null);
                            state = state.Complete(committed);
                        }

                        break;
                }

                Assert.True(state.Start <= committed);
                Assert.False(state.Allows(Side.Normal, committed) && state.Allows(Side.Gray, committed));
                Assert.True(!state.IsHandedOver || state.Boundary <= max);
            }

            Assert.Equal(committed, consumedBy.Count);
        }).QuickCheckThrowOnFailure();

    private static HandoverTerms Terms(long boundary) => new(boundary, NowMs: 1, DeadlineMs: 0, QueueOwnership.None, Forced: 0);
}
