using GrayMQ.Broker;
using GrayMQ.Hosting;
using GrayMQ.Hosting.TakeOvers;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using GrayMQ.Store;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>
/// A broker that takes the place of a running one on the same store: it has the listening sockets before the other stops, so that whoever
/// connects meanwhile waits in their queues.
/// </summary>
/// <param name="predecessor">The other's process.</param>
internal sealed class SucceedingBroker(EffectiveSettings settings, ILoggerFactory loggers, TimeProvider time, int predecessor)
    : IServer, IDrainable, IReplaceable
{
    /// <summary>A server that stops cuts off after half of this whoever does not take its answers.</summary>
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(2);

    private readonly TaskCompletionSource _never = new();
    private StoreLock? _storeLock;
    private HostedBroker? _broker;

    public string ReadyLine => _broker?.ReadyLine ?? "";

    public Task Replaced => _broker?.Replaced ?? _never.Task;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        string store = settings.Get(BrokerSettings.StorePathRootDir);
        ListeningSockets sockets;

        // While the other serves: afterwards clients wait.
        await BrokerHost.RehearseAsync(settings, time, loggers, cancellationToken).ConfigureAwait(false);
        using (TakeOver takeOver = await Task.Run(() => TakeOver.Ask(store, predecessor), cancellationToken).ConfigureAwait(false))
        {
            sockets = new ListeningSockets(takeOver.Sockets);
            takeOver.Go();
        }

        _storeLock = await TakeStoreAsync(store, cancellationToken).ConfigureAwait(false);
        _broker = new HostedBroker(settings, loggers, time, sockets, _storeLock, offersSockets: true, succeeds: true);
        await _broker.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task DrainAsync(CancellationToken hurry) => _broker?.DrainAsync(hurry) ?? Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => _broker?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync().ConfigureAwait(false);
        }

        _storeLock?.Dispose();
    }

    private async Task<StoreLock> TakeStoreAsync(string store, CancellationToken cancel)
    {
        long begun = time.GetTimestamp();
        while (true)
        {
            try
            {
                return StoreLock.Take(store, LinuxFileSystem.Instance);
            }
            catch (IOException) when (time.GetElapsedTime(begun) < StoreTimeout)
            {
                await Task.Delay(LookInterval, time, cancel).ConfigureAwait(false);
            }
        }
    }
}
