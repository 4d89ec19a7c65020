namespace GrayMQ.Client.Consumers.Popping;

/// <summary>What one pop brought.</summary>
internal readonly record struct PopResult(PopStatus Status, IReadOnlyList<PoppedMessage> Messages);

internal enum PopStatus
{
    Found,
    Nothing,

    /// <summary>As many requests wait at the broker as may: it wants to be left alone for a moment.</summary>
    Full,
}
