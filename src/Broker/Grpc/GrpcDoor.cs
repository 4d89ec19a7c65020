using System.Net;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Broker.Grpc.Routes;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Servers;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Grpc;

/// <summary>The door by which the 5.x clients come in: the messaging service, its clients and what is done for them in their absence.</summary>
internal sealed class GrpcDoor : IAsyncDisposable
{
    private readonly GrpcServer _server;
    private readonly ReceiptRenewal _renewal;

    /// <param name="requests">The handlers that the remoting protocol has as well.</param>
    /// <param name="sockets">Where listening sockets come from; null binds new ones.</param>
    public GrpcDoor(
        GrpcOptions options,
        GrpcServerOptions serverOptions,
        ClientLimits limits,
        RequestTable requests,
        HeartbeatHandler heartbeats,
        BrokerState state,
        LifecycleParts lifecycle,
        TopicRouteTable routes,
        TimeProvider time,
        ILoggerFactory loggers,
        ListeningSockets? sockets)
    {
        var inner = new InnerRequests(requests);
        var clients = new GrpcClients(state.Clients.Consumers, state.Clients.Producers, limits, time);
        var clientService = new ClientService(clients, heartbeats, new ClientSettingsMerge(options, state.Groups), lifecycle.State, limits, time);
        var receipts = new ReceiptService(options, inner);
        _renewal = new ReceiptRenewal(clients, receipts, state.Groups, time, loggers.CreateLogger<ReceiptRenewal>());
        clients.ClientEnded += client => _ = _renewal.GiveBackAsync(client);
        clients.ClientEnded += lifecycle.Sends.ConnectionClosed;
        var untaken = new ByteBudget(options.MaxUntakenBytes);
        var methods = new MessagingMethods(
            clients,
            clientService,
            new RouteService(routes, new BrokerEndpoints(options, () => EndPoint.Port), state.Topics, state.Groups),
            new SendService(options, inner, state.Topics, clientService, new FirstTries(lifecycle.Gate), time),
            new EndingService(inner),
            new ReceiveService(options, inner, receipts, state.Groups, untaken, time),
            receipts,
            new PullService(inner, untaken));
        _server = new GrpcServer(serverOptions, methods.Table(), time, loggers, sockets);
    }

    /// <summary>The address that is bound, once started.</summary>
    public IPEndPoint EndPoint => _server.EndPoint;

    public int ConnectionCount => _server.ConnectionCount;

    /// <summary>Calls that are under way: streams, and what waits for messages.</summary>
    public int CallCount => _server.CallCount;

    /// <exception cref="IOException">The address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        await _server.StartAsync(cancel).ConfigureAwait(false);
        _renewal.Start();
    }

    /// <summary>Tells clients to look for their endpoints anew, takes no more calls, and ends when those that were taken have.</summary>
    public Task StopAsync(CancellationToken cancel) => _server.StopAsync(cancel);

    public ValueTask DisposeAsync()
    {
        _renewal.Dispose();
        return _server.DisposeAsync();
    }
}
