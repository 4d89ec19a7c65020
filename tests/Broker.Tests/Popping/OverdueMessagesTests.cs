using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Topics;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Popping;

/// <summary>What cannot be given back now.</summary>
public sealed class OverdueMessagesTests
{
    private const string Group = "GP";

    [Fact]
    public async Task GiveBack_ThatFailsUnexpectedly_LeavesTheBatchForLaterAndLater()
    {
        await using var parts = new PopParts();
        parts.CreateGroup(Group);
        Topic topic = parts.CreateTopic("Stuck");
        await parts.StoreAsync(topic, "a", "b");
        parts.Take(parts.Pop(topic, Group));
        PopRevivals revivals = parts.State.Pops.CheckPoints.Revivals;
        var due = new List<PopDue>();
        revivals.CopyDue(long.MaxValue, 8, due);
        var checkPoint = (PopCheckPoint)Assert.Single(due);
        PopParts closed = new();
        await closed.DisposeAsync();
        using OverdueMessages overdue = OverdueWithin(parts, closed);

        long now = checkPoint.DueMs;
        foreach (long wait in (long[])[1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
        {
            Assert.True(PopRevivals.TryBegin(checkPoint, now));
            PopRevival failed = overdue.GiveBack(checkPoint, now);
            Assert.Equal((0u, now + wait), (failed.Done, failed.NextDueMs));
            revivals.End([failed]);
            Assert.Equal(now + wait, revivals.EarliestDueMs);
            now += wait;
        }

        // Still in hand: an ack that comes late is not too late.
        Assert.True(parts.State.Pops.CheckPoints.Ack(checkPoint.Queue, checkPoint.Id, 1));
        Assert.Equal(1, checkPoint.UnackedCount);
    }

    // Messages are read from one broker and stored in another, whose store is closed: nobody expects that.
    private static OverdueMessages OverdueWithin(PopParts parts, PopParts closed) => new(
        parts.Options,
        parts.State.Messages,
        new FailedMessages(
            parts.State.Topics,
            new RetryTopics(closed.State.Topics, closed.State.Gray),
            new DelayRouting(parts.State.Pending.Options, parts.State.Topics, TimeProvider.System),
            closed.State.Intake,
            parts.State.Statistics,
            parts.State.Gray,
            NullLogger<FailedMessages>.Instance),
        parts.State.Topics,
        parts.State.Groups,
        parts.State.Offsets,
        NullLogger<OverdueMessages>.Instance);
}
