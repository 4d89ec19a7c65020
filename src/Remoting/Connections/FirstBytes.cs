using System.IO.Pipelines;

namespace GrayMQ.Remoting.Connections;

/// <summary>Waits for what a connection begins with, for a time.</summary>
internal static class FirstBytes
{
    /// <param name="limit">Zero: no limit.</param>
    /// <returns>Null when nothing came in time.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> was cancelled.</exception>
    public static async ValueTask<ReadResult?> ReadAsync(PipeReader input, TimeSpan limit, TimeProvider time, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(limit <= TimeSpan.Zero ? Timeout.InfiniteTimeSpan : limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        try
        {
            return await input.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return null;
        }
    }
}
