using GrayMQ.Broker;
using GrayMQ.Hosting;
using GrayMQ.NameServer;
using GrayMQ.Remoting.Transports;
using GrayMQ.Store;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>A name server and a broker in one process. The broker starts after the name server and stops before it.</summary>
internal sealed class Standalone(
    StandaloneSettings settings, StandaloneArguments arguments, ILoggerFactory loggers, TimeProvider time, ListeningSockets sockets)
    : IServer, IDrainable
{
    private readonly NameServerHost _nameServer =
        new(settings.NameServer.GetOrThrow(), time, loggers, arguments.NameServerFile, sockets: sockets);

    private StoreLock? _storeLock;
    private HostedBroker? _broker;

    public string ReadyLine => $"GrayMQ is ready: name server {_nameServer.EndPoints[0]}, {_broker?.Describe()}";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the name server's port is open: a second start on the same store must not be seen by anybody.
        _storeLock = StoreLock.Take(
            settings.Broker.GetOrThrow().Get(BrokerSettings.StorePathRootDir), LinuxFileSystem.Instance);
        await _nameServer.StartAsync(cancellationToken).ConfigureAwait(false);
        _broker = new HostedBroker(settings.BrokerAt(_nameServer.EndPoints[0].Port), loggers, time, sockets, _storeLock);
        await _broker.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task DrainAsync(CancellationToken hurry) => _broker?.DrainAsync(hurry) ?? Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_broker is not null)
        {
            await _broker.StopAsync(cancellationToken).ConfigureAwait(false);
        }

        await _nameServer.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync().ConfigureAwait(false);
        }

        await _nameServer.DisposeAsync().ConfigureAwait(false);
        _storeLock?.Dispose();
    }
}
