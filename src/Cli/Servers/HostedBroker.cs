using GrayMQ.Broker;
using GrayMQ.Hosting;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The broker by itself.</summary>
/// <param name="storeLock">The store's lock, if the caller holds it already.</param>
/// <param name="sockets">Where listening sockets come from.</param>
/// <param name="offersSockets">Whether another process may take the broker's place.</param>
/// <param name="succeeds">Whether it has taken another's.</param>
internal sealed class HostedBroker(
    EffectiveSettings settings,
    ILoggerFactory loggers,
    TimeProvider time,
    ListeningSockets sockets,
    StoreLock? storeLock = null,
    bool offersSockets = false,
    bool succeeds = false) : IServer, IDrainable, IReplaceable
{
    private readonly BrokerHost _host = new(settings, time, loggers, storeLock: storeLock, sockets: sockets, succeeds: succeeds);
    private readonly TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _logger = loggers.CreateLogger<HostedBroker>();
    private TakeOverOffer? _offer;

    public string ReadyLine => $"GrayMQ is ready: {Describe()}";

    /// <summary>Where it serves, and where its data are: <c>broker 127.0.0.1:10911, HTTP http://127.0.0.1:8080, data in ./data</c>.</summary>
    public string Describe()
    {
        string http = _host.HttpEndPoint is { } endPoint ? $", HTTP http://{endPoint}" : "";
        return $"broker {_host.EndPoints[0]}{http}, data in {Shown(settings.Get(BrokerSettings.StorePathRootDir))}";
    }

    public Task Replaced => _offer?.Accepted ?? _replaced.Task;

    public Task DrainAsync(CancellationToken hurry) => _host.DrainAsync(hurry);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _host.StartAsync(cancellationToken).ConfigureAwait(false);
        sockets.CloseUnused(loggers);
        if (offersSockets)
        {
            _offer = TakeOverOffer.Open(settings.Get(BrokerSettings.StorePathRootDir), () => sockets.Bound, time, _logger);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A successor may accept the offer while it is withdrawn.
        Task accepted = Replaced;
        await WithdrawOfferAsync().ConfigureAwait(false);
        await (accepted.IsCompleted ? _host.HandOverAsync(cancellationToken) : _host.StopAsync(cancellationToken)).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await WithdrawOfferAsync().ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
    }

    // Before the store is let go of: the successor makes its own offer at the same place.
    private ValueTask WithdrawOfferAsync() => Interlocked.Exchange(ref _offer, null)?.DisposeAsync() ?? ValueTask.CompletedTask;

    // "data" alone does not look like a path.
    private static string Shown(string path) =>
        Path.IsPathRooted(path) || path.StartsWith('.') ? path : Path.Combine(".", path);
}
