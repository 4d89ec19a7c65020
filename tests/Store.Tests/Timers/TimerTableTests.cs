using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>Entries stand in the order of their times, and say on disk what they say in memory.</summary>
public sealed class TimerTableTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly KeyValueStore _values;
    private readonly TimerTable _table;

    public TimerTableTests()
    {
        _values = KeyValueStore.Open(_folder["state"], "timers", "progress");
        _table = new TimerTable(_values, _values.GetFamily("timers"), _values.GetFamily("progress"));
    }

    public void Dispose()
    {
        _values.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void From_WalksInOrderOfDueTimeThenOffset()
    {
        TimerEntry[] entries =
        [
            new(1_000, 300, 0, false), new(1_000, 70_000, 5, false), new(256_000, 5, 0, true), new(long.MaxValue - 1, 1, 255, false),
        ];
        Write(batch =>
        {
            foreach (TimerEntry entry in entries.Reverse())
            {
                _table.Put(batch, entry);
            }
        });

        Assert.Equal(entries, Walk((0, 0)));
        Assert.Equal(entries[1..], Walk((1_000, 301)));
        Assert.Equal(entries[2..], Walk((1_001, 0)));
        Assert.Equal(1_000, _table.FirstDueFrom(0));
        Assert.Equal(256_000, _table.FirstDueFrom(1_001));
    }

    [Fact]
    public void FirstDueFrom_Nothing_IsNever()
    {
        var entry = new TimerEntry(1_000, 300, 0, false);
        Assert.Equal(long.MaxValue, _table.FirstDueFrom(0));
        Write(batch => _table.Put(batch, entry));
        Assert.True(_table.Contains(entry));
        Assert.Equal(long.MaxValue, _table.FirstDueFrom(1_001));

        Write(batch => _table.Delete(batch, entry));

        Assert.False(_table.Contains(entry));
        Assert.Equal(long.MaxValue, _table.FirstDueFrom(0));
    }

    [Fact]
    public void Marks_AreReadAsWritten()
    {
        Assert.Null(_table.ReadApplied());
        Assert.Null(_table.ReadLow());
        Write(batch =>
        {
            _table.PutApplied(batch, 4711);
            _table.PutLow(batch, 815);
        });
        Assert.Equal((4711, 815), (_table.ReadApplied(), _table.ReadLow()));

        _table.SyncApplied(7);

        Assert.Equal(7, _table.ReadApplied());
    }

    private void Write(Action<KeyValueBatch> fill)
    {
        using KeyValueBatch batch = _values.NewBatch();
        fill(batch);
        _values.Write(batch);
    }

    private List<TimerEntry> Walk((long DueMs, long Offset) place)
    {
        var found = new List<TimerEntry>();
        foreach (TimerEntry entry in _table.From(place))
        {
            found.Add(entry);
        }

        return found;
    }
}
