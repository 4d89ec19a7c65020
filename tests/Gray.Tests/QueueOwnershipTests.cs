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
    public void Withdrawal_OfMessagesInHand_EndsAtItsDeadlineWhereverItIs()
    {
        QueueOwnership handed = QueueOwnership.Of(Side.Gray, 10)
            .Withdraw(Side.Normal, Terms(200), given: 100, deadlineMs: 50, skips: false, held: false);
        var facts = new QueueFacts(90, 0, 0, OwnerSubscribes: true, OwnerClients: 1, Forced: 0, NowMs: 49);

        Assert.False(handed.Look(facts).IsOver);
        Assert.True(handed.Look(facts with { NowMs = 50 }).IsOver);
    }

    [Theory]
    [InlineData(true, true, 130)]
    [InlineData(true, false, 100)]
    [InlineData(false, true, 100)]
    public void Withdrawal_ThatSkips_BeginsBehindWhatIsLeftInAGrayQueue(bool isGrayQueue, bool skips, long start)
    {
        QueueOwnership withdrawn = QueueOwnership.Of(Side.Gray, 10, isGrayQueue)
            .Withdraw(Side.Normal, Terms(130) with { IsGrayQueue = isGrayQueue }, given: 100, deadlineMs: 50, skips, held: false);

        Assert.Equal(100, withdrawn.Boundary);
        Assert.False(withdrawn.IsToWithdraw);
        Assert.Equal(start, withdrawn.Complete(100).Start);
    }

    // The normal side has not come to its boundary yet: what was stored behind it for the gray side is left, too.
    [Fact]
    public void Withdrawal_BeforeTheGraySideHasTheQueue_SkipsWhatWasStoredForIt()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100) with { IsGrayQueue = true });
        HandoverTerms terms = Terms(130) with { IsGrayQueue = true };

        QueueOwnership skipped = handed.Withdraw(Side.Normal, terms, given: 0, deadlineMs: 50, skips: true, held: false);
        Assert.Equal(100, skipped.Boundary);
        Assert.Equal(QueueOwnership.Of(Side.Normal, 130, isGrayQueue: true), skipped.Complete(100));
        QueueOwnership kept = handed.Withdraw(Side.Normal, terms, given: 0, deadlineMs: 50, skips: false, held: false);
        Assert.Equal(Normals with { IsGrayQueue = true }, kept);
    }

    [Fact]
    public void Withdrawal_OfWhatWasHeld_SkipsIt()
    {
        QueueOwnership held = QueueOwnership.Of(null, 10, isGrayQueue: true);
        HandoverTerms terms = Terms(30) with { IsGrayQueue = true };

        QueueOwnership skipped = held.Withdraw(Side.Normal, terms, given: 0, deadlineMs: 50, skips: true, held: true);
        Assert.True(skipped.Look(default).IsOver);
        Assert.Equal(QueueOwnership.Of(Side.Normal, 30, isGrayQueue: true), skipped.Complete(10));
        Assert.Equal(
            QueueOwnership.Of(Side.Normal, 10, isGrayQueue: true),
            held.Withdraw(Side.Normal, terms, given: 0, deadlineMs: 50, skips: false, held: true));
    }

    [Fact]
    public void Handovers_OfAnotherMapping_WaitBehindEachOther()
    {
        QueueOwnership gray = QueueOwnership.Of(Side.Gray, 0, isGrayQueue: true);

        QueueOwnership off = gray.Retarget(Side.Normal, Terms(10));
        QueueOwnership on = off.Retarget(Side.Gray, Terms(20) with { IsGrayQueue = true });

        Assert.Equal((10, Side.Normal, Side.Gray), (on.Boundary, on.Next, on.Last));
        QueueOwnership between = on.Complete(10);
        Assert.Equal((20, Side.Normal, Side.Gray), (between.Boundary, between.Owner, between.Next));
        Assert.Equal(QueueOwnership.Of(Side.Gray, 20, isGrayQueue: true), between.Complete(20));

        // Where nothing was stored in between, nothing changes hands.
        Assert.Equal(gray, off.Retarget(Side.Gray, Terms(10) with { IsGrayQueue = true }));
    }

    [Fact]
    public void Handover_OfALogThatLostItsEnd_IsWhereItEnds()
    {
        QueueOwnership handed = Normals.Retarget(Side.Gray, Terms(100));

        Assert.Equal(50, handed.ClampTo(50).Boundary);
        Assert.Equal(5, handed.ClampTo(5).Start);
        Assert.Equal(handed, handed.ClampTo(100));
    }

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
    /// A queue, its two sides and whoever turns it over act at random: each message is consumed once, by the side that had the queue's end when
    /// it was stored.
    /// </summary>
    [Fact]
    public void Handovers_AnyOrderOfEvents_GiveEachMessageToTheSideItWasStoredFor() => Prop.ForAll(
        Gen.Choose(0, 119).ArrayOf().ToArbitrary(),
        steps =>
        {
            var state = QueueOwnership.Of(Side.Normal, 0);
            var storedFor = new List<Side?>();
            long committed = 0;
            foreach (int step in steps)
            {
                switch (step % 6)
                {
                    case 0:
                        storedFor.AddRange(Enumerable.Repeat(state.Last, 1 + (step / 10)));
                        break;
                    case 1 or 2 when state.Handovers.Count < QueueOwnership.MaxHandovers - 1:
                        state = state.Retarget(
                            (step / 6 % 3) switch { 0 => Side.Normal, 1 => Side.Gray, _ => null },
                            Terms(storedFor.Count) with { IsGrayQueue = step % 12 < 6, KeepsWhatWasPromised = true });
                        break;
                    case 3 or 4:
                        Side side = step % 2 == 0 ? Side.Normal : Side.Gray;
                        for (int i = 0; i < step / 20 && committed < storedFor.Count && state.Allows(side, committed); i++)
                        {
                            // What was stored for nobody is for who comes next.
                            Assert.True(storedFor[(int)committed] is null || storedFor[(int)committed] == side);
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
                Assert.All(state.Handovers, each => Assert.True(each.Boundary <= storedFor.Count));
                Assert.Equal(state.Handovers, state.Handovers.OrderBy(each => each.Boundary));
            }
        }).QuickCheckThrowOnFailure();

    private static HandoverTerms Terms(long end) => new(end, NowMs: 1, Forced: 0);
}
