using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>Nothing that comes while due entries are looked for is passed over.</summary>
public sealed class DueCursorTests
{
    private readonly DueCursor _cursor = new(10);

    [Fact]
    public void End_GoesOnFromWhatWasReached()
    {
        Assert.Equal((10, 0), _cursor.Begin());
        _cursor.End((20, 6), nextDueMs: 30);

        Assert.Equal(30, _cursor.NextDueMs);
        Assert.Equal((20, 6), _cursor.Begin());
    }

    [Theory]
    [InlineData(15, 15)]
    [InlineData(25, 20)]
    public void GoBackTo_WhileLooking_KeepsTheEarlierPlace(long dueMs, long placeMs)
    {
        _cursor.Begin();
        _cursor.GoBackTo(new TimerEntry(dueMs, 6, 0, false));
        _cursor.End((20, 6), nextDueMs: 30);

        Assert.Equal(dueMs, _cursor.NextDueMs);
        Assert.Equal((placeMs, 6), _cursor.Begin());
    }

    [Fact]
    public void GoBackTo_BetweenLooks_BringsTheCursorBack()
    {
        _cursor.Begin();
        _cursor.End((20, 6), long.MaxValue);
        Assert.Equal(long.MaxValue, _cursor.NextDueMs);

        _cursor.GoBackTo(new TimerEntry(20, 5, 0, false));

        Assert.Equal(20, _cursor.NextDueMs);
        Assert.Equal((20, 5), _cursor.Begin());
    }
}
