using System.Net;
using System.Net.Sockets;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Clusters;

/// <summary>A name server of a cluster under test, which can be stopped and started again.</summary>
internal sealed class NameServerNode(ClusterOptions options, string folder) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly int _port = FreePorts.TakeForBroker();
    private ServerProcess? _process;

    public string Address => $"127.0.0.1:{_port}";

    public async Task StartAsync(CancellationToken cancel)
    {
        _process = new ServerProcess(options.Command,
        [
            "namesrv", "--set", "bindAddress=127.0.0.1", "--set", $"listenPort={_port}",
            "--set", $"kvConfigPath={Path.Combine(folder, $"namesrv-{_port}", "kvConfig.json")}",
            .. options.NameServerSettings.SelectMany(setting => (string[])["--set", setting]),
        ], options.Folder is null ? null : Path.Combine(folder, $"namesrv-{_port}.log"));
        await _process.UntilAsync(AcceptsAsync, $"name server {Address} accepts", Limit, cancel);
    }

    public async Task StopAsync(CancellationToken cancel)
    {
        _process!.Signal("TERM");
        await _process.WaitForExitAsync(cancel);
        await DisposeAsync();
    }

    /// <summary>kill -9; it can be started again.</summary>
    public ValueTask KillAsync() => DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
        }
    }

    private async Task<bool> AcceptsAsync()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPEndPoint.Parse(Address));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
