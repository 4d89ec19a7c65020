using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Topics;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Broker.Popping;

/// <summary>Which targets arrivals look at.</summary>
public sealed class ParkedTargetsTests
{
    [Fact]
    public async Task Target_AtWhichNobodyHasWaitedForAWhile_IsForgotten()
    {
        await using var parts = new PopParts();
        Topic topic = parts.CreateTopic("Idle");
        PopTarget idle = parts.Pop(topic, "A").Target;
        PopTarget busy = parts.Pop(topic, "B").Target;
        var targets = new ParkedTargets(10, static _ => { });
        Assert.True(targets.TryList(idle));
        Assert.True(targets.TryList(busy));
        (idle.Waiters.LastParkedMs, busy.Waiters.LastParkedMs) = (1000, 2000);

        targets.UnlistIdle(1500);

        Assert.Equal([busy], targets.Of(topic.Name).ToArray());
        Assert.True(targets.Of(idle.FirstRetry.Name).IsEmpty);
        Assert.Equal(1, targets.Count);
        Assert.True(targets.TryList(idle));
        Assert.Equal([busy, idle], targets.Of(topic.Name).ToArray());
    }

    [Fact]
    public async Task Target_AtWhichSomebodyWaits_IsKept()
    {
        await using var parts = new PopParts();
        PopTarget target = parts.Pop(parts.CreateTopic("Busy"), "A").Target;
        var targets = new ParkedTargets(1, static _ => { });
        Assert.True(targets.TryList(target));
        var parked = new ParkedPop(_ => { });
        Assert.True(target.Waiters.TryAdd(parked, 1));

        targets.UnlistIdle(long.MaxValue);

        Assert.Equal(1, targets.Count);
        Assert.False(targets.TryList(parts.Pop(parts.CreateTopic("Other"), "A").Target));
    }

    [Fact]
    public async Task Expression_ChangedAfterTheTargetWasListedAgain_IsSeenByTheNextArrival()
    {
        await using var parts = new PopParts();
        Pop pop = parts.Pop(parts.CreateTopic("Busy"), "A");
        PopTarget target = pop.Target;
        var targets = new ParkedTargets(1, static _ => { });
        IndexedExpression[] expressions = [Expression("Busy", 0), Expression("Busy", 1)];
        var version = new FilterVersion(0, FilterIndex.Create(), null);
        Assert.True(targets.TryList(target));
        targets.UnlistIdle(long.MaxValue);
        Assert.True(targets.TryList(target));
        Park(pop with { Filter = expressions[0] });
        TopicTargets sorted = targets.Find("Busy")!;
        sorted.SortFor(version, gray: null);
        Assert.Equal([target], sorted.Of(0));

        Park(pop with { Filter = expressions[1] });
        sorted.SortFor(version, gray: null);

        Assert.Equal([target], sorted.Others);

        void Park(Pop pop)
        {
            var parked = new ParkedPop(_ => { });
            parked.Set(in pop);
            Assert.True(target.Waiters.TryAdd(parked, 2));
            targets.KeepListed(target);
        }
    }

    [Fact]
    public async Task Parked_LongAgo_LeavesNoTargetBehind()
    {
        await using var parts = new PopParts();
        var time = new ManualTime();
        using var parked = new ParkedPops(new ParkLimits(10, 10, 10), parts.State.Gray, time);
        var answered = new List<Pop>();
        parked.AnswerWith(pop => { lock (answered) { answered.Add(pop); } }, _ => false);
        Pop pop = parts.Pop(parts.CreateTopic("Idle"), "A") with { DeadlineMs = time.NowMs + 1000 };
        Assert.Equal(ParkOutcome.Parked, parked.TryPark(in pop));
        Assert.Equal(1, parked.TargetCount);

        parked.WakeAll(pop.Target);
        time.Advance(TimeSpan.FromMinutes(3));

        Assert.Equal(0, parked.TargetCount);
        await Eventually.TrueAsync(() => { lock (answered) { return answered.Count == 1; } }, "the pop is answered");
    }

    private static IndexedExpression Expression(string topic, int id) => new(
        new TopicFilters(topic), FilterExpression.Parse(FilterLanguage.Header, $"a == {id}"), id, since: 0);
}
