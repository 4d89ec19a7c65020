namespace GrayMQ.Store.CommitLogs;

/// <summary>A place in the log that was given to records: whoever got it fills it, then says so.</summary>
internal readonly ref struct LogPlace(TailBuffer buffer, int number, long offset, Span<byte> room)
{
    /// <summary>Where the log will have it.</summary>
    public long Offset { get; } = offset;

    public Span<byte> Room { get; } = room;

    /// <inheritdoc cref="TailBuffer.Filled"/>
    public void Filled() => buffer.Filled(number);
}
