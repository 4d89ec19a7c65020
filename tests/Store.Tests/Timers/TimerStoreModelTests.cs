using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>
/// Random sends, deliveries, refusals, flushes and kills: what is pending is at every moment what was stored and not settled.
/// </summary>
public sealed class TimerStoreModelTests : IDisposable
{
    private const int Steps = 400;

    private readonly TempFolder _folder = new(inMemory: true);
    private readonly ManualTime _time = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task AnyHistory_PendingIsWhatWasStoredAndNotSettled(int seed)
    {
        var random = new Random(seed);
        var pending = new SortedSet<(long DueMs, long Offset)>();
        int kills = 0;
        PendingStore store = PendingStore.Open(_folder["0"], _time);
        try
        {
            for (int step = 0; step < Steps; step++)
            {
                switch (random.Next(12))
                {
                    case < 4:
                        long dueMs = store.NowMs + random.Next(1, 5_000);
                        pending.Add((dueMs, store.AddTimer(dueMs)));
                        break;
                    case < 6:
                        int level = random.Next(1, 4);
                        long leveledMs = store.NowMs + DelayLevels.Parse(DelayLevels.Default).DelayMs(level);
                        pending.Add((leveledMs, store.AddLevel(level)));
                        break;
                    case < 9:
                        _time.Advance(TimeSpan.FromMilliseconds(random.Next(3_000)));
                        store.Timers.Apply();
                        Deliver(store, pending, random);
                        break;
                    case 9:
                        store.Flush();
                        Assert.Equal(pending.Count, store.Total);
                        break;
                    case 10:
                        store.Timers.Apply(maxRemovals: random.Next(4));
                        break;
                    default:
                        PendingStore killed = store;
                        store = PendingStore.Open(store.Kill(_folder[$"{++kills}"]), _time);
                        await killed.DisposeAsync();
                        break;
                }

                store.Timers.Apply(maxRemovals: 0);
                Assert.Equal(pending.Count == 0 ? long.MaxValue : pending.Min.DueMs, store.Timers.FirstPendingDueMs());
            }

            // Nothing was lost sight of, and nothing is left over.
            _time.Advance(TimeSpan.FromMinutes(1));
            store.Timers.Apply();
            var left = new TimerEntry[Steps];
            int count = store.Timers.FindDue(store.NowMs, left);
            Assert.Equal(pending, left[..count].Select(entry => (entry.DueMs, entry.PhysicalOffset)));
        }
        finally
        {
            await store.DisposeAsync();
        }
    }

    private static void Deliver(PendingStore store, SortedSet<(long DueMs, long Offset)> pending, Random random)
    {
        var due = new TimerEntry[1 + random.Next(4)];
        int count = store.Timers.FindDue(store.NowMs, due);
        Assert.Equal(
            pending.Where(entry => entry.DueMs <= store.NowMs).Take(due.Length),
            due[..count].Select(entry => (entry.DueMs, entry.PhysicalOffset)));
        for (int i = count - 1; i >= 0; i--)
        {
            Assert.True(store.Timers.TryTake(due[i], "Real"u8));
            if (random.Next(4) == 0)
            {
                store.Timers.GiveBack(due[i]);
            }
            else
            {
                store.Deliver(due[i].PhysicalOffset);
                pending.Remove((due[i].DueMs, due[i].PhysicalOffset));
            }
        }
    }
}
