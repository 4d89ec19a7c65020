namespace GrayMQ.Chaos.Rolling;

/// <summary>A client, or several of a kind, that send or receive until they are stopped.</summary>
internal interface ILoad : IAsyncDisposable
{
    /// <summary>Completes when it is at work.</summary>
    Task StartAsync();

    /// <summary>Completes when it sends nothing more; what it was given is committed or acked.</summary>
    Task StopAsync();
}
