namespace GrayMQ.Remoting.Connections;

/// <summary>Work that is done once for many requests, of one connection or of several, before they are answered.</summary>
public interface IBatchWork
{
    /// <summary>Does it now. Throws when it fails: then what has been asked for is not done.</summary>
    void Run();

    /// <summary>Has it done soon, once for all who ask for it until then.</summary>
    /// <param name="done">Called once, from any thread, maybe before this returns, with what it failed with; it must not throw.</param>
    /// <returns>False where <see cref="Run"/> takes no longer: nothing will be called then.</returns>
    bool TryRunWithOthers(Action<Exception?> done);
}
