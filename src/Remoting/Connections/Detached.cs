namespace GrayMQ.Remoting.Connections;

/// <summary>
/// Starts what outlives its caller. A connection's loops would otherwise carry the execution context of whoever happened to open
/// it, with its activity and logging scopes, for life, and pay for it at each read.
/// </summary>
internal static class Detached
{
    public static Task RunAsync(Func<Task> work)
    {
        using (Suppress())
        {
            return Task.Run(work);
        }
    }

    public static Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        using (Suppress())
        {
            return Task.Run(work);
        }
    }

    private static AsyncFlowControl? Suppress() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
