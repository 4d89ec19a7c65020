namespace GrayMQ.Hosting;

/// <summary>A server whose place another process may take while it runs.</summary>
public interface IReplaceable
{
    /// <summary>Completes when another process waits to go on: this one is to stop, and takes no leave.</summary>
    Task Replaced { get; }
}
