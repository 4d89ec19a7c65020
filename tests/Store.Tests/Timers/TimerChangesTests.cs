using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>What may be written when: removals wait for the disk, and a check point waits for its removals.</summary>
public sealed class TimerChangesTests
{
    private static readonly TimerEntry First = new(1_000, 300, 0, false);
    private static readonly TimerEntry Second = new(2_000, 400, 3, false);

    private readonly DurableTo _log = new();
    private readonly TimerChanges _changes = new(applied: 100, lowMs: 0);

    public TimerChangesTests() => _changes.OnOpening(_log);

    [Fact]
    public void Take_RemovalWaitsForTheDisk()
    {
        Assert.True(_changes.TryTake(First, topicId: 0));
        _changes.Add(null, settles: 300, recordEnd: 900);
        _log.DurableOffset = 899;
        _changes.Take(int.MaxValue);
        Assert.Empty(_changes.Removing);
        Assert.False(_changes.CanWrite);
        Assert.True(_changes.AwaitsDisk);

        _log.DurableOffset = 900;

        Assert.True(_changes.CanWrite);
        long applied = _changes.Take(int.MaxValue);
        Assert.Equal([300], _changes.Removing);
        _changes.OnWritten(applied, lowMs: 0);
        Assert.Equal(0, _changes.TakenCount);
        Assert.False(_changes.AwaitsDisk);
    }

    [Fact]
    public void Take_CheckPoint_CountsOnceAllItsRemovalsAreTaken()
    {
        _changes.Add(null, settles: 300, recordEnd: 500);
        _changes.Add(null, settles: 400, recordEnd: 600);
        _log.DurableOffset = 600;
        _changes.SetCheckPoint(600);

        Assert.Equal(100, _changes.Take(maxRemovals: 1));
        _changes.OnWritten(100, lowMs: 0);
        Assert.Equal(100, _changes.AppliedOffset);

        Assert.Equal(600, _changes.Take(maxRemovals: 1));
        Assert.Equal([400], _changes.Removing);
        _changes.OnWritten(600, lowMs: 0);
        Assert.Equal(600, _changes.AppliedOffset);
    }

    [Fact]
    public void Take_NotWritten_IsTakenAgain()
    {
        _changes.Add(new TimerArrival(First, 0, IsReplay: false), settles: 400, recordEnd: 500);
        _log.DurableOffset = 500;
        _changes.Take(int.MaxValue);

        // The write failed; more comes.
        Assert.True(_changes.CanWrite);
        _changes.Add(new TimerArrival(Second, 0, IsReplay: false), settles: -1, recordEnd: 600);
        _changes.Take(int.MaxValue);

        Assert.Equal([First, Second], _changes.Adding.Select(arrival => arrival.Entry));
        Assert.Equal([400], _changes.Removing);
        _changes.OnWritten(100, lowMs: 1_000);
        Assert.False(_changes.CanWrite);
        Assert.Equal(1_000, _changes.LowMs);
    }

    [Fact]
    public void TryTake_OnlyOnce_UntilGivenBack()
    {
        Assert.True(_changes.TryTake(First, topicId: 0));
        Assert.False(_changes.TryTake(First, topicId: 0));
        Assert.Equal(First, Assert.Single(_changes.AllTaken()).Entry);
        _changes.BeginLook();
        _changes.EndLook((5_000, 0), long.MaxValue);

        _changes.GiveBack(First);

        Assert.False(_changes.IsTaken(300));
        Assert.Equal(1_000, _changes.NextDueMs);
        Assert.Equal((1_000, 300), _changes.BeginLook());
    }

    [Fact]
    public void TryTake_WhatTheLogHasSettled_IsRefused()
    {
        _changes.Add(null, settles: 300, recordEnd: 500);

        Assert.False(_changes.TryTake(First, topicId: 0));
        Assert.False(_changes.TryGetTaken(300, out _));
        Assert.Empty(_changes.AllTaken());
    }

    [Fact]
    public void IsFull_ManyChanges_HaveToBeWrittenFirst()
    {
        for (int i = 0; !_changes.IsFull(isNew: false); i++)
        {
            Assert.True(i < 100_000, "there is no limit");
            _changes.Add(new TimerArrival(First with { PhysicalOffset = i }, 0, IsReplay: true), settles: -1, recordEnd: 500);
        }

        _changes.OnWritten(_changes.Take(int.MaxValue), lowMs: 0);
        Assert.False(_changes.IsFull(isNew: false));
    }

    // What cannot be removed yet is no reason to write: while the store opens, that may be all that comes.
    [Theory]
    [InlineData(499, false)]
    [InlineData(500, true)]
    public void IsFull_Removals_WhenTheyCanBeWritten(long durable, bool isFull)
    {
        for (int i = 0; i < 100_000; i++)
        {
            _changes.Add(null, settles: i, recordEnd: 500);
        }

        _log.DurableOffset = durable;
        Assert.Equal(isFull, _changes.IsFull(isNew: false));
        Assert.False(_changes.IsFull(isNew: true));
    }

    // A log without records, of which a test says how much the disk has.
    private sealed class DurableTo : ILogView
    {
        public long DurableOffset { get; set; }

        public bool TryRead(long physicalOffset, MessageSlices result) => false;
    }
}
