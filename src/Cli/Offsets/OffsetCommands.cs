using System.CommandLine;
using GrayMQ.Cli.Groups;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Offsets;

/// <summary><c>graymq offset …</c></summary>
internal static class OffsetCommands
{
    public static Command Create(ToolHost host) => host.Group(
        "offset", "See how far consumer groups have come, and have them go on elsewhere", Show(host), OffsetResetCommand.Create(host));

    /// <summary>How far a group has come at every broker that knows it.</summary>
    /// <param name="topic">Null for all topics.</param>
    /// <exception cref="CommandFailure">No broker knows the group.</exception>
    public static async Task<IReadOnlyList<QueueProgress>> ProgressAsync(
        ToolRun run, string group, string? topic, CancellationToken cancel)
    {
        Cluster.RequireGroupName(group);
        IReadOnlyList<BrokerNode> masters = await run.Cluster.MastersAsync(null, null, cancel).ConfigureAwait(false);
        IReadOnlyDictionary<string, SubscriptionGroupConfig>[] tables = await Task.WhenAll(
            masters.Select(master => run.Cluster.Admin.GetGroupsAsync(master.Address, cancel))).ConfigureAwait(false);
        if (!tables.Any(table => table.ContainsKey(group)))
        {
            throw Cluster.GroupNotFound(group, tables.SelectMany(table => table.Keys));
        }

        IReadOnlyDictionary<MessageQueue, OffsetWrapper>[] offsets = await Task.WhenAll(masters
            .Where((_, i) => tables[i].ContainsKey(group))
            .Select(master => run.Cluster.Admin.GetConsumerOffsetsAsync(master.Address, group, topic, cancel))).ConfigureAwait(false);
        return
        [
            .. offsets.SelectMany(table => table).OrderBy(pair => pair.Key).Select(pair => new QueueProgress(
                pair.Key.Topic,
                pair.Key.BrokerName,
                pair.Key.QueueId,
                pair.Value.BrokerOffset,
                pair.Value.ConsumerOffset,
                Math.Max(0, pair.Value.BrokerOffset - Math.Max(0, pair.Value.ConsumerOffset)),
                pair.Value.LastTimestamp)),
        ];
    }

    private static Command Show(ToolHost host)
    {
        Argument<string> name = GroupCommands.GroupArgument();
        var topic = new Option<string?>("--topic") { Description = "Only this topic", HelpName = "TOPIC" };
        var command = new Command("show", "Show how far a consumer group has come in each queue");
        command.Arguments.Add(name);
        command.Options.Add(topic);
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<QueueProgress> queues =
                await ProgressAsync(run, run.Get(name), run.Get(topic), cancel).ConfigureAwait(false);
            var result = new OffsetListing(run.Get(name), queues.Sum(queue => queue.Lag), queues);
            run.WriteGrid(result, ResultJson.Document.OffsetListing, (listing, grid) => Fill(listing, grid, run.Context.Time));
            run.Note(queues.Count == 0
                ? $"Group {result.Group} has not consumed anything yet."
                : $"\nLag: {Printable.Number(result.Lag)}");
        });
        return command;
    }

    private static void Fill(OffsetListing result, Grid grid, TimeProvider time)
    {
        grid.Column("TOPIC").Column("BROKER").Number("QUEUE").Number("BROKER OFFSET").Number("GROUP OFFSET").Number("LAG").Column("LAST CONSUMED");
        foreach (QueueProgress queue in result.Queues)
        {
            grid.Row(
                queue.Topic,
                queue.Broker,
                Printable.Number(queue.Queue),
                Printable.Number(queue.BrokerOffset),
                Printable.Number(queue.ConsumerOffset),
                Printable.Number(queue.Lag),
                Printable.Time(queue.LastConsumedTimestampMs, time));
        }
    }
}
