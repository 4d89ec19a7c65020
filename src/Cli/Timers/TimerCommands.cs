using System.CommandLine;
using System.Globalization;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Timers;

/// <summary><c>graymq timer …</c></summary>
internal static class TimerCommands
{
    public static Command Create(ToolHost host) => host.Group("timer", "Look at messages that are delivered later", Show(host));

    private static Command Show(ToolHost host)
    {
        var scope = new BrokerScope();
        var command = new Command("show", "How many messages are pending, by delay level and topic, and when the next one is due");
        scope.AddTo(command);
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            TimersOfBroker[] brokers = await Task.WhenAll(masters.Select(async master =>
                ToResult(master.Name, await run.Cluster.Admin.GetTimersAsync(master.Address, cancel).ConfigureAwait(false)))).ConfigureAwait(false);
            run.WriteGrid(new TimerListing(brokers.Sum(broker => broker.Total), brokers), ResultJson.Document.TimerListing, Fill);
        });
        return command;
    }

    private static TimersOfBroker ToResult(string broker, PendingTimers timers) => new(
        broker,
        timers.Total,
        timers.NextDue >= 0 ? timers.NextDue : null,
        timers.NextDue >= 0 ? Math.Max(0, timers.Now - timers.NextDue) : 0,
        timers.Delivered,
        [.. timers.ByLevel.OrderBy(level => level.Key).Select(level => new PendingOfLevel(level.Key, level.Value))],
        [
            .. timers.ByTopic.OrderBy(topic => topic.Key, StringComparer.Ordinal)
                .Select(topic => new PendingOfTopic(topic.Key, topic.Value)),
        ]);

    private static void Fill(TimerListing result, Grid grid)
    {
        grid.Column("BROKER").Column("PENDING FOR").Number("MESSAGES").Column("NEXT DUE").Number("LAG");
        foreach (TimersOfBroker broker in result.Brokers)
        {
            string nextDue = broker.NextDueMs is { } dueMs
                ? DateTimeOffset.FromUnixTimeMilliseconds(dueMs).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)
                : "";
            grid.Row(broker.Broker, "all", Printable.Number(broker.Total), nextDue, $"{Printable.Number(broker.LagMs)} ms");
            foreach (PendingOfLevel level in broker.Levels)
            {
                string name = level.Level == 0 ? "times of their own" : $"level {Printable.Number(level.Level)}";
                grid.Row("", name, Printable.Number(level.Pending), "", "");
            }

            foreach (PendingOfTopic topic in broker.Topics)
            {
                grid.Row("", $"topic {topic.Topic}", Printable.Number(topic.Pending), "", "");
            }
        }
    }
}
