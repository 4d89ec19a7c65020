using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>
/// What stock clients have in common: a connection to each server, a route that is polled, and a heartbeat to each broker of the route
/// after each poll.
/// </summary>
internal abstract class StockClient : RunningLoad
{
    private static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromSeconds(3);

    protected StockClient(LoadSettings settings, string topic, RequestTable requests)
    {
        Settings = settings;
        Topic = topic;
        Client = new RemotingClient(RemotingClientOptions.Default, requests, TimeProvider.System, NullLoggerFactory.Instance);
        Route = new StockRoute(Client, settings.NameServers, topic, settings.RoutePoll);
    }

    public string Topic { get; }

    /// <summary>How many brokers the route showed as writable when it was last asked for, since <see cref="ForgetRoute"/>.</summary>
    public int KnownBrokers { get; private set; }

    public void ForgetRoute() => KnownBrokers = 0;

    protected override ValueTask CloseAsync() => Client.DisposeAsync();

    protected LoadSettings Settings { get; }

    protected RemotingClient Client { get; }

    protected StockRoute Route { get; }

    /// <summary>What it says of itself; null says nothing.</summary>
    protected abstract HeartbeatData? Heartbeat { get; }

    /// <summary>Polls the route when it is time to, and tells the brokers that it shows of this client.</summary>
    protected async Task RefreshAsync()
    {
        if (!await Route.RefreshAsync())
        {
            return;
        }

        KnownBrokers = Route.Writable.Select(queue => queue.Broker).Distinct(StringComparer.Ordinal).Count();
        if (Heartbeat is { } heartbeat)
        {
            byte[] body = BodyCodec.Encode(heartbeat);
            await Task.WhenAll(Route.Readable.Select(queue => queue.Address).Distinct().Select(address => BeatAsync(address, body)));
        }
    }

    private async Task BeatAsync(string address, byte[] body)
    {
        try
        {
            await Client.InvokeAsync(address, RequestCode.Heartbeat, default(NoHeader), body, HeartbeatTimeout);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Again after the next poll.
        }
    }
}
