namespace GrayMQ.Hosting;

/// <summary>A server that others count on: it takes its leave before it is stopped.</summary>
public interface IDrainable
{
    /// <summary>Completes when nobody is expected any more, or soon after <paramref name="hurry"/> is cancelled. Never fails for want of others.</summary>
    Task DrainAsync(CancellationToken hurry);
}
