using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Filters;

/// <summary><c>graymq filter stats</c></summary>
internal static class FilterStatsCommand
{
    public static Command Create(ToolHost host)
    {
        Argument<string> topic = TopicCommands.TopicArgument();
        var command = new Command("stats", "Show a topic's conditions at each broker: how many there are, and what matching costs");
        command.Arguments.Add(topic);
        host.OnRun(command, async (run, cancel) =>
        {
            TopicRouteData route = await run.Cluster.RouteAsync(run.Get(topic), cancel).ConfigureAwait(false);
            var brokers = new List<FilterStatsOfBroker>();
            foreach (BrokerData broker in route.BrokerDatas.OrderBy(broker => broker.BrokerName, StringComparer.Ordinal))
            {
                if (broker.FindPreferredAddress() is { } address)
                {
                    brokers.Add(await AskAsync(run, broker.BrokerName, address, run.Get(topic), cancel).ConfigureAwait(false));
                }
            }

            run.WriteGrid(new FilterStatsListing(run.Get(topic), brokers), ResultJson.Document.FilterStatsListing, Fill);
        });
        return command;
    }

    private static async Task<FilterStatsOfBroker> AskAsync(
        ToolRun run, string broker, string address, string topic, CancellationToken cancel)
    {
        try
        {
            FilterStats stats = await run.Cluster.Admin.GetFilterStatsAsync(address, topic, cancel).ConfigureAwait(false);
            return new FilterStatsOfBroker(
                broker,
                stats.IsIndexed,
                stats.IndexedProperty,
                stats.Subscriptions,
                stats.NotIndexed,
                stats.Expressions,
                stats.Clauses,
                stats.Messages,
                stats.LookUps,
                stats.Evaluations,
                stats.Matches,
                stats.KeptBytes,
                stats.NotKept,
                stats.LookedAt);
        }
        catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
        {
            throw new CommandFailure(ExitCode.Failure, $"broker {broker} cannot tell what it filters: it is not GrayMQ's");
        }
    }

    private static void Fill(FilterStatsListing listing, Grid grid)
    {
        grid.Column("BROKER").Column("INDEX").Number("SUBSCRIPTIONS").Number("EXPRESSIONS").Number("CLAUSES").Number("MESSAGES")
            .Number("LOOK-UPS").Number("EVALUATIONS").Number("MATCHES").Number("KEPT BYTES").Number("LOOKED AT");
        foreach (FilterStatsOfBroker broker in listing.Brokers)
        {
            grid.Row(
                broker.Broker,
                broker.Indexed ? broker.IndexedProperty ?? "message type" : "off",
                Printable.Number(broker.Subscriptions),
                Printable.Number(broker.Expressions),
                Printable.Number(broker.Clauses),
                Printable.Number(broker.Messages),
                Printable.Number(broker.LookUps),
                Printable.Number(broker.Evaluations),
                Printable.Number(broker.Matches),
                Printable.Number(broker.KeptBytes),
                Printable.Number(broker.LookedAt));
        }
    }
}
