using System.CommandLine;
using System.Globalization;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Clusters;

/// <summary><c>graymq cluster …</c></summary>
internal static class ClusterCommands
{
    public static Command Create(ToolHost host) => host.Group("cluster", "Look at the brokers", List(host));

    private static Command List(ToolHost host)
    {
        var command = new Command("list", "List all brokers with their state");
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<BrokerNode> nodes = await run.Cluster.BrokersAsync(cancel).ConfigureAwait(false);
            var result = new ClusterListing(
                await Task.WhenAll(nodes.Select(node => AskAsync(run, node, cancel))).ConfigureAwait(false));
            run.WriteGrid(result, ResultJson.Document.ClusterListing, Fill);
            if (result.Brokers.Count == 0)
            {
                run.Note($"No broker is registered with name server {run.NameServers}.");
            }
        });
        return command;
    }

    private static void Fill(ClusterListing result, Grid grid)
    {
        grid.Column("CLUSTER").Column("BROKER").Number("ID").Column("ROLE").Column("ADDRESS").Column("VERSION")
            .Number("IN/S").Number("OUT/S").Column("STATE");
        foreach (BrokerStatus broker in result.Brokers)
        {
            grid.Row(
                broker.Cluster,
                broker.Broker,
                Printable.Number(broker.Id),
                broker.Role,
                broker.Address,
                broker.Version,
                Rate(broker.MessagesInPerSecond),
                Rate(broker.MessagesOutPerSecond),
                broker.Reachable ? "up" : broker.Error);
        }
    }

    private static async Task<BrokerStatus> AskAsync(ToolRun run, BrokerNode node, CancellationToken cancel)
    {
        var status = new BrokerStatus(
            node.Cluster, node.Name, node.Id, node.Id == BrokerData.MasterId ? "master" : "slave", node.Address, true, null, null, null, null);
        try
        {
            IReadOnlyDictionary<string, string> info =
                await run.Cluster.Admin.GetRuntimeInfoAsync(node.Address, cancel).ConfigureAwait(false);
            return status with
            {
                Version = info.GetValueOrDefault("brokerVersionDesc"),
                MessagesInPerSecond = FirstRate(info.GetValueOrDefault("putTps")),
                MessagesOutPerSecond = FirstRate(info.GetValueOrDefault("getTransferredTps")),
            };
        }
        catch (Exception e) when (e is IOException or TimeoutException or BrokerException)
        {
            return status with { Reachable = e is BrokerException, Error = e.Message };
        }
    }

    // RocketMQ gives three rates in one value: over 10 s, 1 min and 10 min.
    private static double? FirstRate(string? rates) =>
        double.TryParse(rates?.Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) ? rate : null;

    private static string? Rate(double? rate) => rate?.ToString("F1", CultureInfo.InvariantCulture);
}
