namespace GrayMQ.Model;

/// <summary>A copy of a message that a queue has to get, or may get.</summary>
/// <param name="Id">Of the message.</param>
/// <param name="ReconsumeTimes">Of the copy.</param>
/// <param name="NotBeforeMs">It must not come earlier, by the broker's clock.</param>
internal sealed record Expected(long Id, int ReconsumeTimes, long NotBeforeMs)
{
    /// <summary>False where the broker was killed before it answered.</summary>
    public required bool IsCertain { get; init; }
}
