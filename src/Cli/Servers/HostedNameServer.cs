using GrayMQ.Hosting;
using GrayMQ.NameServer;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The name server by itself.</summary>
internal sealed class HostedNameServer(
    EffectiveSettings settings, string? settingsFile, ILoggerFactory loggers, TimeProvider time, ListeningSockets sockets)
    : IServer, IDrainable
{
    private readonly NameServerHost _host = new(settings, time, loggers, settingsFile, sockets: sockets);

    public string ReadyLine
    {
        get
        {
            string http = _host.HttpEndPoint is { } endPoint ? $", HTTP http://{endPoint}" : "";
            return $"GrayMQ is ready: name server {_host.EndPoints[0]}{http}";
        }
    }

    public Task DrainAsync(CancellationToken hurry) => _host.DrainAsync(hurry);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _host.StartAsync(cancellationToken).ConfigureAwait(false);
        sockets.CloseUnused(loggers);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
