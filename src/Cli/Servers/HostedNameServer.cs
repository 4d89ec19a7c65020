using GrayMQ.NameServer;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Servers;

/// <summary>The name server by itself.</summary>
internal sealed class HostedNameServer(
    EffectiveSettings settings, string? settingsFile, ILoggerFactory loggers, TimeProvider time) : IServer
{
    private readonly NameServerHost _host = new(settings, time, loggers, settingsFile);

    public string ReadyLine => $"GrayMQ is ready: name server {_host.EndPoints[0]}";

    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
