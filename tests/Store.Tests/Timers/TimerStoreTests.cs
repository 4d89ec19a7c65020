using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>What is pending follows from the log, whatever happens to the process or the machine in between.</summary>
public sealed class TimerStoreTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly ManualTime _time = new();

    public void Dispose() => _folder.Dispose();

    private PendingStore Open(string levels = DelayLevels.Default) => PendingStore.Open(_folder["store"], _time, levels);

    [Fact]
    public async Task FindDue_LevelsAndTimes_InOneOrder()
    {
        await using PendingStore store = Open();
        long now = store.NowMs;
        long tenSeconds = store.AddLevel(3);
        long twoSeconds = store.AddTimer(now + 2_000);
        long oneSecond = store.AddLevel(1);
        store.Timers.Apply();

        Assert.Empty(store.Due(now));
        Assert.Equal(now + 1_000, store.Timers.NextDueMs);
        Assert.Equal([oneSecond], store.Due(now + 1_999));
        Assert.Equal(now + 2_000, store.Timers.NextDueMs);
        Assert.Equal([twoSeconds, tenSeconds], store.Due(now + 10_000));
        Assert.Empty(store.Due(now + 20_000));
        Assert.Equal(long.MaxValue, store.Timers.NextDueMs);
    }

    [Fact]
    public async Task FindDue_InSteps_FindsEachOnce()
    {
        await using PendingStore store = Open();
        List<long> added = [.. Enumerable.Range(0, 10).Select(_ => store.AddLevel(1))];
        store.Timers.Apply();
        var found = new List<long>();
        while (store.Due(store.NowMs + 1_000, max: 3) is { Count: > 0 } some)
        {
            found.AddRange(some);
        }

        Assert.Equal(added, found);
    }

    [Fact]
    public async Task Delivered_IsRemovedWhenTheDiskHasTheDelivery()
    {
        await using PendingStore store = Open();
        long waiting = store.AddLevel(1);
        store.Flush();
        TimerEntry entry = store.Find(store.NowMs + 1_000, waiting);
        Assert.True(store.Timers.TryTake(entry, "Real"u8));
        store.Deliver(waiting);
        store.Timers.Apply();

        // Taken, but there still: a power failure could take the delivery back.
        Assert.Equal(1, store.Timers.InFlightCount);
        Assert.Equal(0, store.Total);
        await using (PendingStore afterKill = PendingStore.Open(store.Kill(_folder["killed"]), _time))
        {
            Assert.Empty(afterKill.Due(store.NowMs + 1_000));
            afterKill.Flush();
            Assert.Equal(0, afterKill.Total);
        }

        store.Flush();
        Assert.Equal(0, store.Timers.InFlightCount);
        Assert.Empty(store.Due(store.NowMs + 1_000));
    }

    [Fact]
    public async Task Open_AfterKill_KnowsWhatIsPending()
    {
        await using PendingStore store = Open();
        long delivered = store.AddLevel(1);
        long waiting = store.AddLevel(1);
        store.Flush();
        long late = store.AddTimer(store.NowMs + 500, "Late");
        store.Deliver(delivered);

        await using PendingStore reopened = PendingStore.Open(store.Kill(_folder["killed"]), _time);

        Assert.Equal([late, waiting], reopened.Due(store.NowMs + 1_000));
        reopened.Flush();
        Assert.Equal(1, reopened.Timers.Counts().ByTopic["Late"]);
        Assert.Equal(1, reopened.Timers.Counts().ByTopic["Real"]);
    }

    [Fact]
    public async Task Open_Again_CountsNothingTwice()
    {
        await using PendingStore store = Open();
        store.AddLevel(1);
        store.AddLevel(2);
        store.Timers.Apply();
        string copy = store.Kill(_folder["0"]);
        for (int i = 1; i <= 3; i++)
        {
            await using PendingStore reopened = PendingStore.Open(copy, _time);
            Assert.Equal(2, reopened.Total);
            copy = reopened.Kill(_folder[i.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        }
    }

    [Fact]
    public async Task GiveBack_IsFoundAgain()
    {
        await using PendingStore store = Open();
        long waiting = store.AddLevel(1);
        store.Timers.Apply();
        TimerEntry entry = store.Find(store.NowMs + 1_000, waiting);
        Assert.True(store.Timers.TryTake(entry, "Real"u8));
        Assert.Empty(store.Due(store.NowMs + 1_000));
        using var slices = new MessageSlices();
        Assert.True(store.Timers.TryReadRecord(entry, slices));
        Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage message, out _));
        Assert.Equal(TimerStanding.Taken, store.Timers.Find(message, out _));

        store.Timers.GiveBack(entry);

        Assert.Equal(TimerStanding.Pending, store.Timers.Find(message, out _));
        Assert.Equal([waiting], store.Due(store.NowMs + 1_000));
    }

    [Fact]
    public async Task GiveBack_ButTheLogHasSettledIt_StaysTaken()
    {
        await using PendingStore store = Open();
        long waiting = store.AddLevel(1);
        store.Timers.Apply();
        TimerEntry entry = store.Find(store.NowMs + 1_000, waiting);
        Assert.True(store.Timers.TryTake(entry, "Real"u8));
        store.Deliver(waiting);

        store.Timers.GiveBack(entry);

        Assert.Empty(store.Due(store.NowMs + 1_000));
        store.Flush();
        Assert.Equal(0, store.Total);
    }

    // The dispatcher and whoever appends would wait for it.
    [Fact]
    public async Task OnCheckPoint_DrivenByAThread_IsLeftToIt()
    {
        await using PendingStore store = Open();
        store.AddLevel(1);
        long applied = store.Timers.AppliedOffset;
        int changes = 0;
        store.Timers.Changed += () => changes++;
        store.Timers.IsDriven = true;
        store.Flush();
        Assert.Equal((applied, 1), (store.Timers.AppliedOffset, changes));
        Assert.True(store.Timers.HasChanges);

        store.Timers.Apply(maxRemovals: 0);

        Assert.Equal(store.Messages.Store.MaxPhysicalOffset, store.Timers.AppliedOffset);
        Assert.False(store.Timers.HasChanges);
        store.Timers.IsDriven = false;
        store.AddLevel(1);
        store.Flush();
        Assert.Equal(store.Messages.Store.MaxPhysicalOffset, store.Timers.AppliedOffset);
    }

    [Fact]
    public async Task FindDue_Fails_WhatIsDueIsStillToBeLookedFor()
    {
        await using PendingStore store = Open();
        store.AddLevel(1);
        store.Timers.Apply();
        Assert.Empty(store.Due(store.NowMs));
        await store.Messages.DisposeAsync();
        store.CloseDatabase();

        Assert.Throws<ObjectDisposedException>(() => store.Due(store.NowMs + 1_000));

        Assert.True(store.Timers.NextDueMs <= store.NowMs + 1_000);
    }

    [Fact]
    public async Task LookAgainFrom_FindsWhatWasFoundAndNotTaken()
    {
        await using PendingStore store = Open();
        long[] added = [store.AddLevel(1), store.AddLevel(1), store.AddLevel(1)];
        store.Timers.Apply();
        TimerEntry second = store.Find(store.NowMs + 1_000, added[1]);
        Assert.Empty(store.Due(store.NowMs + 1_000));

        store.Timers.LookAgainFrom(second);

        Assert.Equal(added[1..], store.Due(store.NowMs + 1_000));
    }

    [Fact]
    public async Task Discard_RemovesWithoutARecord()
    {
        await using PendingStore store = Open();
        long waiting = store.AddLevel(1);
        store.Timers.Apply();
        store.Timers.Discard(store.Find(store.NowMs + 1_000, waiting), "Real"u8);
        Assert.Equal(0, store.Total);

        store.Timers.Apply();

        Assert.Equal(0, store.Timers.InFlightCount);
        Assert.Equal(long.MaxValue, store.Timers.FirstPendingDueMs());
    }

    [Fact]
    public async Task LevelsChanged_EntriesOfTheEarlierOnesAreFoundAndRemoved()
    {
        long waiting;
        await using (PendingStore store = Open("5s 10s"))
        {
            waiting = store.AddLevel(1);
        }

        await using PendingStore changed = Open("1m 2m");
        var record = new TimerEntry(changed.NowMs + 5_000, waiting, 1, false);
        Assert.Equal([waiting], changed.Due(changed.NowMs + 5_000));
        using var slices = new MessageSlices();
        Assert.True(changed.Timers.TryReadRecord(record, slices));
        Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage message, out _));
        Assert.True(changed.Timers.Agrees(record, message));
        Assert.False(changed.Timers.Agrees(record with { DueMs = record.DueMs + 1 }, message));
        Assert.Equal(TimerStanding.Pending, changed.Timers.Find(message, out TimerEntry found));
        Assert.Equal(record, found);

        // Only the log tells: nobody here has taken it.
        changed.Deliver(waiting);
        Assert.Equal(TimerStanding.Settled, changed.Timers.Find(message, out _));
        changed.Flush();

        Assert.Equal(0, changed.Total);
        Assert.Equal(long.MaxValue, changed.Timers.FirstPendingDueMs());
    }

    [Fact]
    public async Task FirstOffsets_ByLevel_WithoutWhatIsTaken()
    {
        await using PendingStore store = Open();
        long first = store.AddLevel(1);
        long second = store.AddLevel(1);
        long timer = store.AddTimer(store.NowMs + 60_000);
        store.Timers.Apply();
        Assert.True(store.Timers.TryTake(store.Find(store.NowMs + 1_000, first), "Real"u8));

        IReadOnlyDictionary<int, long> offsets = store.Timers.FirstOffsets();

        Assert.Equal([(0, timer), (1, second)], offsets.Select(pair => (pair.Key, pair.Value)).Order());
    }

    [Fact]
    public async Task History_WhatAnotherBrokerHasDelivered_IsNotPending()
    {
        long waiting;
        await using (PendingStore store = Open())
        {
            store.AddLevel(1);
            waiting = store.AddLevel(1);
        }

        // In a store of RocketMQ's, and in our own that RocketMQ has had.
        var history = new DeliveredBefore(QueueOffset: 1);
        Directory.Move(_folder["store", "state"], _folder["state"]);
        await using (PendingStore taken = PendingStore.Open(_folder["store"], _time, history: history))
        {
            Assert.Equal([waiting], taken.Due(taken.NowMs + 1_000));
        }

        Directory.Delete(_folder["store", "state"], recursive: true);
        Directory.Move(_folder["state"], _folder["store", "state"]);
        await using PendingStore returned = Open();
        Assert.Equal(2, returned.Total);
        Assert.Equal(1, returned.Timers.RemoveDone(history));
        Assert.Equal([waiting], returned.Due(returned.NowMs + 1_000));
    }

    [Fact]
    public async Task OnRecord_MoreThanIsKeptInMemory_IsWrittenByItself()
    {
        await using PendingStore store = Open();
        for (int i = 0; i < 20_000; i++)
        {
            store.AddLevel(1);
        }

        Assert.NotEmpty(store.Due(store.NowMs + 1_000));
    }

    // A full disk stops the start before everything is shown: the rest comes later, and is not new for that.
    [Fact]
    public async Task OnRecord_ShownAfterTheStart_ButOlder_CountsOnce()
    {
        await using PendingStore store = Open();
        store.AddLevel(1);
        long waiting = store.AddLevel(1);
        store.Timers.Apply();
        TimerEntry entry = store.Find(store.NowMs + 1_000, waiting);
        using var slices = new MessageSlices();
        Assert.True(store.Timers.TryReadRecord(entry, slices));
        Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage message, out _));

        store.Timers.OnOpened(store.Messages.Store.MaxPhysicalOffset);
        store.Timers.OnRecord(message);
        store.Timers.Apply();

        Assert.Equal(2, store.Total);
    }

    private sealed record DeliveredBefore(long QueueOffset) : ITimerHistory
    {
        public bool IsDone(in StoredMessage message, in TimerEntry entry) => message.QueueOffset < QueueOffset;
    }
}
