using System.Net;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Serving;

/// <summary>A real server on a free port of the loopback interface.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly RemotingServer _server;

    private TestServer(RemotingServer server) => _server = server;

    public string Address => _server.EndPoints[0].ToString();

    public static async Task<TestServer> StartAsync(
        RequestTable requests, Action<GrayMQ.Remoting.Connections.RemotingConnection>? closed = null, IPEndPoint? at = null)
    {
        var server = new RemotingServer(
            new RemotingServerOptions { EndPoints = [at ?? new IPEndPoint(IPAddress.Loopback, 0)] },
            requests,
            SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        server.ConnectionClosed += closed;
        await server.StartAsync();
        return new TestServer(server);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
