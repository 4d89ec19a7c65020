using System.Globalization;
using System.Net;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>A real listener on 127.0.0.1 that answers from a request table.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly RemotingServer _server;
    private int _disposed;

    private TestServer(RemotingServer server, int port)
    {
        _server = server;
        Port = port;
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";

    public RemotingServer Remoting => _server;

    public static async Task<TestServer> StartAsync(RequestTable requests, int port = 0)
    {
        var server = new RemotingServer(
            new RemotingServerOptions { EndPoints = [new IPEndPoint(IPAddress.Loopback, port)] },
            requests,
            SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        await server.StartAsync();
        return new TestServer(server, server.EndPoints[0].Port);
    }

    /// <summary>Closes at once; a test may do so before its end.</summary>
    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _disposed, 1) == 0 ? _server.DisposeAsync() : ValueTask.CompletedTask;
}
