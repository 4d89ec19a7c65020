using GrayMQ.Broker;
using GrayMQ.Hosting;
using GrayMQ.Settings;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The broker by itself.</summary>
/// <param name="storeLock">The store's lock, if the caller holds it already.</param>
internal sealed class HostedBroker(
    EffectiveSettings settings, ILoggerFactory loggers, TimeProvider time, StoreLock? storeLock = null) : IServer, IDrainable
{
    private readonly BrokerHost _host = new(settings, time, loggers, storeLock: storeLock);

    public string ReadyLine => $"GrayMQ is ready: {Describe()}";

    /// <summary>Where it serves, and where its data are: <c>broker 127.0.0.1:10911, HTTP http://127.0.0.1:8080, data in ./data</c>.</summary>
    public string Describe()
    {
        string http = _host.HttpEndPoint is { } endPoint ? $", HTTP http://{endPoint}" : "";
        return $"broker {_host.EndPoints[0]}{http}, data in {Shown(settings.Get(BrokerSettings.StorePathRootDir))}";
    }

    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    public Task DrainAsync(CancellationToken hurry) => _host.DrainAsync(hurry);

    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    // "data" alone does not look like a path.
    private static string Shown(string path) =>
        Path.IsPathRooted(path) || path.StartsWith('.') ? path : Path.Combine(".", path);
}
