using GrayMQ.Client.Gray;
using GrayMQ.Client.Routes;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Sessions;

/// <summary>
/// What one producer, consumer or administration client has of the outside world: its identity, its connections and its routes. Each
/// has its own, so that none waits behind another's traffic.
/// </summary>
internal sealed class ClientSession : IAsyncDisposable
{
    private readonly RemotingClient _remoting;
    private int _disposed;

    /// <param name="requests">What this client answers when a broker asks.</param>
    public ClientSession(ClientOptions options, string clientId, RequestTable requests, ILoggerFactory loggers, TimeProvider time)
    {
        ClientId = clientId;
        Time = time;
        Leaving = new LeavingBrokers(time);
        requests.On<NotifyBrokerLeavingHeader>(RequestCode.NotifyBrokerLeaving, HandleLeaving);
        requests.On<GrayVersionHeader>(RequestCode.GrayStateChanged, HandleGrayStateChanged);
        _remoting = new RemotingClient(
            new RemotingClientOptions
            {
                ConnectTimeout = options.ConnectTimeout,
                SerializeType = options.SerializeType,
                Tls = options.Tls,
            },
            requests,
            time,
            loggers);
        Servers = new ServerCaller(_remoting, options.SerializeType, options.RequestTimeout, time);
        NameServers = new NameServerList(
            RemotingAddress.ParseList(options.NameServers), Servers, loggers.CreateLogger<NameServerList>());
        Gray = new GrayRole(options);
        GrayState = new GrayStateFollower(
            NameServers, Gray, options.RouteRefreshInterval, time, loggers.CreateLogger<GrayStateFollower>());
        Routes = new RouteTable(NameServers, options.RouteRefreshInterval, time, loggers.CreateLogger<RouteTable>());
        Leaving.Heard += _ => Routes.RequestRefresh();
        Routes.Arrivals.Came += broker => Leaving.Tell(broker, leaving: false);
    }

    public string ClientId { get; }

    /// <summary>On which side of a gray release this client says that it is.</summary>
    public GrayRole Gray { get; }

    /// <summary>Which topics are gray.</summary>
    public GrayStateFollower GrayState { get; }

    public ServerCaller Servers { get; }

    public NameServerList NameServers { get; }

    public RouteTable Routes { get; }

    /// <summary>Brokers that are not to be sent to where there are others.</summary>
    public LeavingBrokers Leaving { get; }

    public TimeProvider Time { get; }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await GrayState.DisposeAsync().ConfigureAwait(false);
            await Routes.DisposeAsync().ConfigureAwait(false);
            await _remoting.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ValueTask HandleGrayStateChanged(RemotingRequest request, GrayVersionHeader header)
    {
        if (header.Epoch is { } epoch)
        {
            GrayState.Tell(new GrayVersion(epoch, header.Version));
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask HandleLeaving(RemotingRequest request, NotifyBrokerLeavingHeader header)
    {
        Leaving.Tell(header.BrokerName, header.Leaving);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }
}
