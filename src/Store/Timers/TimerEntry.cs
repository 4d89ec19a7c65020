namespace GrayMQ.Store.Timers;

/// <summary>A pending message.</summary>
/// <param name="DueMs">When something has to be done with it: deliver it, or roll it.</param>
/// <param name="PhysicalOffset">Where its record stands.</param>
/// <param name="Level">Its delay level, which is the queue it waits in; 0 for one with a time of its own.</param>
/// <param name="IsRoll">
/// Its time lies so far ahead that the log would not keep it: at <paramref name="DueMs"/> it is stored anew, to wait on.
/// </param>
public readonly record struct TimerEntry(long DueMs, long PhysicalOffset, byte Level, bool IsRoll);
