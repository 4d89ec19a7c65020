namespace GrayMQ.Compatibility.Tests.Servers;

/// <summary>The system's clock, set back or forward so that it stands at a given time when it is made.</summary>
internal sealed class RecordedTime(DateTimeOffset start) : TimeProvider
{
    private readonly TimeSpan _ahead = start - System.GetUtcNow();

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _ahead;
}
