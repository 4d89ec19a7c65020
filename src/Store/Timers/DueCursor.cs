namespace GrayMQ.Store.Timers;

/// <summary>
/// Where to look for due entries: those before it are taken or gone. Looking takes time, in which entries come before the place that is
/// being reached: they bring the cursor back. For one thread at a time.
/// </summary>
internal sealed class DueCursor(long firstDueMs)
{
    private (long DueMs, long Offset) _place = (firstDueMs, 0);

    // The first place that an entry has come to since the last look began.
    private (long DueMs, long Offset) _wentBack = (long.MaxValue, 0);

    /// <summary>Nothing is due before, as far as is known; <see cref="long.MaxValue"/> if nothing is pending.</summary>
    public long NextDueMs { get; private set; } = firstDueMs;

    /// <summary>Begins a look from the place that is returned.</summary>
    public (long DueMs, long Offset) Begin()
    {
        _wentBack = (long.MaxValue, 0);
        NextDueMs = long.MaxValue;
        return _place;
    }

    /// <summary>Everything before a place was found, and the next entry behind it is due then.</summary>
    public void End((long DueMs, long Offset) reached, long nextDueMs)
    {
        _place = _wentBack.CompareTo(reached) < 0 ? _wentBack : reached;
        NextDueMs = Math.Min(NextDueMs, nextDueMs);
    }

    /// <summary>Nothing was found out: the next look begins where this one has.</summary>
    public void Cancel() => NextDueMs = Math.Min(NextDueMs, _place.DueMs);

    /// <summary>An entry is there that must not have been passed.</summary>
    public void GoBackTo(in TimerEntry entry)
    {
        (long DueMs, long Offset) place = (entry.DueMs, entry.PhysicalOffset);
        _place = place.CompareTo(_place) < 0 ? place : _place;
        _wentBack = place.CompareTo(_wentBack) < 0 ? place : _wentBack;
        NextDueMs = Math.Min(NextDueMs, entry.DueMs);
    }
}
