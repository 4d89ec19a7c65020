using GrayMQ.Chaos.Clusters;

namespace GrayMQ.Chaos.Gray;

/// <summary>Kills a broker, a name server or a client now and then, at moments and in an order that follow from a seed, and starts it again.</summary>
internal sealed class SoakKills(
    ClusterUnderTest cluster, IReadOnlyList<ServiceGroup> groups, Func<ServiceVersion?> gray, int seed, GrayLedger ledger, SoakLog log)
{
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan MorePause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxAbsence = TimeSpan.FromSeconds(3);

    private readonly Random _random = new(seed);

    public int Count { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(MinPause + (_random.NextDouble() * MorePause), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            await KillAsync();
            Count++;
        }
    }

    private async Task KillAsync()
    {
        TimeSpan absence = _random.NextDouble() * MaxAbsence;
        switch (_random.Next(4))
        {
            case 0:
                BrokerNode broker = cluster.Brokers[_random.Next(cluster.Brokers.Count)];
                log.Tell($"{broker.Name} is killed");
                double killed = log.Seconds;
                await broker.KillAsync();
                await Task.Delay(absence);
                await broker.StartAsync(CancellationToken.None);
                ledger.WasAway(broker.Address, killed, log.Seconds);
                break;
            case 1:
                NameServerNode nameServer = cluster.NameServers[_random.Next(cluster.NameServers.Count)];
                log.Tell($"name server {nameServer.Address} is killed");
                await nameServer.KillAsync();
                await Task.Delay(absence);
                await nameServer.StartAsync(CancellationToken.None);
                break;
            default:
                ServiceGroup group = groups[_random.Next(groups.Count)];
                log.Tell($"a client of {group.Name} is killed");
                await group.ReplaceOneAsync(_random, absence, gray);
                break;
        }
    }
}
