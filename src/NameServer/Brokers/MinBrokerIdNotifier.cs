using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Brokers;

/// <summary>Tells brokers, one way, that the lowest broker id under their name has changed (RocketMQ request 905).</summary>
internal sealed class MinBrokerIdNotifier(TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);

    private readonly ILogger _logger = loggers.CreateLogger<MinBrokerIdNotifier>();
    private readonly RemotingClient _client =
        new(RemotingClientOptions.Default with { ConnectTimeout = ConnectTimeout }, new RequestTable(), time, loggers);

    public void Notify(IReadOnlyList<MinBrokerIdChange> changes)
    {
        foreach (MinBrokerIdChange change in changes)
        {
            Notify(change);
        }
    }

    /// <summary>Nothing when <paramref name="change"/> is null. Returns before anybody has been told.</summary>
    public void Notify(MinBrokerIdChange? change)
    {
        foreach (string address in change?.Notify ?? [])
        {
            _ = NotifyAsync(address, change!);
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task NotifyAsync(string address, MinBrokerIdChange change)
    {
        try
        {
            await _client.SendOneWayAsync(
                address,
                RequestCode.NotifyMinBrokerIdChange,
                new NotifyMinBrokerIdChangeHeader
                {
                    MinBrokerId = change.MinBrokerId,
                    MinBrokerAddress = change.MinBrokerAddress,
                    OfflineBrokerAddress = change.OfflineAddress,
                    HaBrokerAddress = change.HaAddress,
                },
                body: default).ConfigureAwait(false);
            Log.MinBrokerIdNotified(_logger, address, change.MinBrokerId);
        }
        catch (Exception e)
        {
            Log.MinBrokerIdNotNotified(_logger, e, address, change.MinBrokerId);
        }
    }
}
