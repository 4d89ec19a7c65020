using System.Globalization;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Appending;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>A message store with pending messages, which follow its log; nothing is on disk before <see cref="Flush"/>.</summary>
internal sealed class PendingStore : IAsyncDisposable
{
    private static readonly string[] Families = ["progress", "timers", "timerCounts"];

    private readonly KeyValueStore _values;

    private PendingStore(string root, ManualTime time, string levels, ITimerHistory? history)
    {
        Root = root;
        Time = time;
        _values = KeyValueStore.Open(Path.Combine(root, "state"), Families);
        Timers = new TimerStore(
            _values,
            _values.GetFamily("timers"),
            _values.GetFamily("timerCounts"),
            _values.GetFamily("progress"),
            new DueRule(DelayLevels.Parse(levels), rollWindowMs: 86_400_000),
            history,
            NullLogger.Instance);
        Messages = TestStore.Open(
            TestStore.Options(root) with
            {
                FlushIntervalMs = int.MaxValue,
                FlushThoroughIntervalMs = int.MaxValue,
                CheckPointIntervalMs = int.MaxValue,
            },
            time: time,
            followers: [Timers],
            start: false);
        Timers.Apply();
        Timers.OnOpened(Messages.Store.OpenedAtOffset);
    }

    public string Root { get; }

    public ManualTime Time { get; }

    public TimerStore Timers { get; }

    public TestStore Messages { get; }

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public static PendingStore Open(
        string root, ManualTime? time = null, string levels = DelayLevels.Default, ITimerHistory? history = null) =>
        new(root, time ?? new ManualTime(), levels, history);

    /// <summary>Stores a message of a delay level. Returns its physical offset.</summary>
    public long AddLevel(int level, string realTopic = "Real") => Append(
        TopicNames.Schedule, level - 1, $"DELAY\u0001{level}\u0002REAL_TOPIC\u0001{realTopic}\u0002REAL_QID\u00010\u0002", 0);

    /// <summary>Stores a message with a time of its own. Returns its physical offset.</summary>
    public long AddTimer(long dueMs, string realTopic = "Real") => Append(
        TopicNames.WheelTimer,
        0,
        string.Create(
            CultureInfo.InvariantCulture,
            $"TIMER_OUT_MS\u0001{dueMs - 1}\u0002TIMER_DELIVER_MS\u0001{dueMs}\u0002REAL_TOPIC\u0001{realTopic}\u0002REAL_QID\u00010\u0002"),
        0);

    /// <summary>Stores what settles a pending message: its delivery.</summary>
    public void Deliver(long physicalOffset) => Append("Real", 0, "", ~physicalOffset);

    /// <summary>Brings everything to the disk, and the queues with it.</summary>
    public void Flush() => Assert.True(Messages.Store.TakeCheckPoint());

    /// <summary>Physical offsets of what is due.</summary>
    public List<long> Due(long nowMs, int max = 100)
    {
        var found = new TimerEntry[max];
        return [.. found[..Timers.FindDue(nowMs, found)].Select(entry => entry.PhysicalOffset)];
    }

    public TimerEntry Find(long nowMs, long physicalOffset)
    {
        var found = new TimerEntry[100];
        return Assert.Single(found[..Timers.FindDue(nowMs, found)], entry => entry.PhysicalOffset == physicalOffset);
    }

    public long Total => Timers.Counts().ByLevel.Values.Sum();

    /// <summary>What kill -9 would leave now, to be opened elsewhere.</summary>
    public string Kill(string target) => Folders.Copy(Root, target);

    /// <summary>The database fails from now on.</summary>
    public void CloseDatabase() => _values.Dispose();

    public async ValueTask DisposeAsync()
    {
        await Messages.DisposeAsync();
        Timers.Dispose();
        _values.Dispose();
    }

    private long Append(string topic, int queueId, string properties, long preparedOffset)
    {
        AppendResult result = Messages.Append([1], topic, queueId, properties, preparedOffset: preparedOffset);
        Assert.True(result.IsOk);
        Messages.WaitForDispatch();
        return result.PhysicalOffset;
    }
}
