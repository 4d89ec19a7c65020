using System.Globalization;
using System.Net;
using GrayMQ.Broker;
using GrayMQ.Settings;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Compatibility.Tests.Servers;

/// <summary>A broker in this process, always on the same loopback ports and on the same store, however often it starts.</summary>
/// <param name="settings">Each <c>key=value</c>.</param>
internal sealed class TestBroker(string name, string store, TimeProvider time, string[] settings) : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly int _port = FreePorts.TakeForBroker();
    private BrokerHost? _host;

    public string Name => name;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, _port);

    /// <summary>As routes name it.</summary>
    public string Address => EndPoint.ToString();

    /// <summary>What it registers for replicas: the port next to its own.</summary>
    public string HaAddress => new IPEndPoint(IPAddress.Loopback, _port + 1).ToString();

    /// <summary>Where gRPC clients come in, while it runs.</summary>
    public string Grpc => _host!.GrpcEndPoint!.ToString();

    public async Task StartAsync(IPEndPoint nameServer)
    {
        var sources = new SettingsSources();
        foreach (string setting in settings)
        {
            sources = sources.Set(setting);
        }

        _host = new BrokerHost(
            BrokerSettings.Catalogue.Load(sources
                .Set("bindAddress=127.0.0.1")
                .Set("brokerIP1=127.0.0.1")
                .Set(string.Create(CultureInfo.InvariantCulture, $"listenPort={_port}"))
                .Set("httpPort=0")
                .Set($"brokerName={name}")
                .Set($"brokerClusterName={TestServers.ClusterName}")
                .Set($"namesrvAddr={nameServer}")
                .Set($"storePathRootDir={store}")

                // The sizes of the recorded broker's files.
                .Set("mappedFileSizeCommitLog=1048576")
                .Set("mappedFileSizeConsumeQueue=6000")
                .Set("maxHashSlotNum=2000")
                .Set("rehearsalMs=0")
                .Set("maxIndexNum=8000")).GetOrThrow(),
            time,
            NullLoggerFactory.Instance);
        await _host.StartAsync(CancellationToken.None);
    }

    public async Task StopAsync()
    {
        if (_host is { } host)
        {
            _host = null;
            using var limit = new CancellationTokenSource(Deadline);
            await host.StopAsync(limit.Token);
            await host.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
