using System.Net;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.AspNetCore.Connections;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>A server on sockets, at a free port of 127.0.0.1.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(RemotingServer server, CapturedLog log)
    {
        Server = server;
        Log = log;
    }

    public RemotingServer Server { get; }

    public CapturedLog Log { get; }

    public IPEndPoint EndPoint => Server.EndPoints[0];

    public string Address => EndPoint.ToString();

    public static async Task<TestServer> StartAsync(
        RequestTable requests,
        Func<RemotingServerOptions, RemotingServerOptions>? configure = null,
        TimeProvider? time = null,
        int port = 0,
        Func<IConnectionListenerFactory, IConnectionListenerFactory>? transport = null)
    {
        var log = new CapturedLog();
        var options = new RemotingServerOptions { EndPoints = [new IPEndPoint(IPAddress.Loopback, port)] };
        IConnectionListenerFactory sockets = SocketTransport.Create(TimeProvider.System, log);
        var server = new RemotingServer(
            configure?.Invoke(options) ?? options, requests, transport?.Invoke(sockets) ?? sockets, time ?? TimeProvider.System, log);
        await server.StartAsync();
        return new TestServer(server, log);
    }

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint);

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
