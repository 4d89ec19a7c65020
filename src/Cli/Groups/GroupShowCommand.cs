using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Groups;

/// <summary><c>graymq group show</c></summary>
internal static class GroupShowCommand
{
    public static Command Create(ToolHost host)
    {
        Argument<string> name = GroupCommands.GroupArgument();
        var command = new Command(
            "show", "Show a consumer group: its members, who consumes which queue, how far it has come, what failed");
        command.Arguments.Add(name);
        host.OnRun(command, async (run, cancel) =>
        {
            GroupDescription group = await DescribeAsync(run, run.Get(name), cancel).ConfigureAwait(false);
            run.Write(group, ResultJson.Document.GroupDescription, shown => Print(shown, run.Context));
        });
        return command;
    }

    private static async Task<GroupDescription> DescribeAsync(ToolRun run, string group, CancellationToken cancel)
    {
        Cluster.RequireGroupName(group);
        IReadOnlyList<BrokerNode> masters = await run.Cluster.MastersAsync(null, null, cancel).ConfigureAwait(false);
        IReadOnlyDictionary<string, SubscriptionGroupConfig>[] tables = await Task.WhenAll(
            masters.Select(master => run.Cluster.Admin.GetGroupsAsync(master.Address, cancel))).ConfigureAwait(false);
        BrokerNode[] holders = [.. masters.Where((_, i) => tables[i].ContainsKey(group))];
        if (holders.Length == 0)
        {
            throw Cluster.GroupNotFound(group, tables.SelectMany(table => table.Keys));
        }

        SubscriptionGroupConfig config = tables.First(table => table.ContainsKey(group))[group];
        (BrokerNode Holder, ConsumerConnection? Found)[] connections = await Task.WhenAll(holders.Select(async holder =>
            (holder, await run.Cluster.Admin.FindConsumersAsync(holder.Address, group, cancel).ConfigureAwait(false)))).ConfigureAwait(false);
        ConsumerConnection? online = connections.Select(pair => pair.Found).FirstOrDefault(found => found is not null);
        (GroupMember Member, ConsumerRunningInfo? Info)[] members =
            await FindMembersAsync(run, group, connections, cancel).ConfigureAwait(false);
        IReadOnlyDictionary<MessageQueue, OffsetWrapper>[] offsets = await Task.WhenAll(holders.Select(
            holder => run.Cluster.Admin.GetConsumerOffsetsAsync(holder.Address, group, null, cancel))).ConfigureAwait(false);
        IReadOnlyList<PopsInFlightOfQueue>[] pops = await Task.WhenAll(holders.Select(
            holder => run.Cluster.Admin.GetPopsInFlightAsync(holder.Address, group, cancel))).ConfigureAwait(false);
        Dictionary<MessageQueue, PopsInFlightOfQueue> popped = holders.Zip(pops)
            .SelectMany(pair => pair.Second.Select(pop => KeyValuePair.Create(
                new MessageQueue(pop.Topic, pair.First.Name, pop.QueueId), pop)))
            .ToDictionary();
        IReadOnlyList<GroupQueue> queues = Join(offsets.SelectMany(table => table).ToDictionary(), popped, members);
        return new GroupDescription(
            group,
            [.. holders.Select(holder => holder.Name)],
            GroupCommands.TypeName(online),
            online?.MessageModel?.ToString().ToUpperInvariant(),
            config.ConsumeEnable,
            config.RetryMaxTimes,
            [
                .. connections.SelectMany(pair => pair.Found?.SubscriptionTable.Values.AsEnumerable() ?? [])
                    .DistinctBy(each => each.Topic, StringComparer.Ordinal)
                    .OrderBy(each => each.Topic, StringComparer.Ordinal)
                    .Select(each => new GroupSubscription(each.Topic, each.ExpressionType ?? "TAG", each.SubString ?? "*")),
            ],
            [.. members.Select(pair => pair.Member)],
            queues,
            queues.Where(queue => !IsRetry(queue)).Sum(queue => queue.Lag ?? 0),
            queues.Sum(queue => queue.InFlight ?? 0),
            queues.Where(IsRetry).Sum(queue => queue.Lag ?? 0),
            await CountDeadLettersAsync(run, group, holders, cancel).ConfigureAwait(false));
    }

    private static async Task<(GroupMember Member, ConsumerRunningInfo? Info)[]> FindMembersAsync(
        ToolRun run, string group, IEnumerable<(BrokerNode Holder, ConsumerConnection? Found)> connections, CancellationToken cancel)
    {
        // A consumer is connected to every broker: it counts once, and tells the same to each.
        IEnumerable<(BrokerNode Holder, Connection Client)> clients = connections
            .SelectMany(pair => (pair.Found?.ConnectionSet ?? []).Select(client => (pair.Holder, Client: client)))
            .Where(pair => pair.Client.ClientId is not null)
            .DistinctBy(pair => pair.Client.ClientId, StringComparer.Ordinal)
            .OrderBy(pair => pair.Client.ClientId, StringComparer.Ordinal);
        return await Task.WhenAll(clients.Select(async pair =>
        {
            ConsumerRunningInfo? info =
                await FindRunningInfoAsync(run, group, pair.Holder, pair.Client.ClientId!, cancel).ConfigureAwait(false);
            return (new GroupMember(
                pair.Client.ClientId!,
                pair.Client.ClientAddr,
                pair.Client.Language,
                pair.Client.Version,
                info is null ? null : info.MqTable.Count + info.MqPopTable.Count), info);
        })).ConfigureAwait(false);
    }

    private static async Task<ConsumerRunningInfo?> FindRunningInfoAsync(
        ToolRun run, string group, BrokerNode holder, string clientId, CancellationToken cancel)
    {
        try
        {
            return await run.Cluster.Admin.GetRunningInfoAsync(holder.Address, group, clientId, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BrokerException or TimeoutException or BodyFormatException)
        {
            // One that hangs, has just left, or knows nothing of this question: the others are worth showing.
            run.Note($"{clientId} did not tell which queues it consumes: {e.Message}");
            return null;
        }
    }

    private static IReadOnlyList<GroupQueue> Join(
        Dictionary<MessageQueue, OffsetWrapper> offsets,
        Dictionary<MessageQueue, PopsInFlightOfQueue> popped,
        (GroupMember Member, ConsumerRunningInfo? Info)[] members)
    {
        ILookup<MessageQueue, string> assigned = members
            .SelectMany(pair => (pair.Info?.MqTable.Keys.Concat(pair.Info.MqPopTable.Keys) ?? [])
                .Select(queue => (Queue: queue, pair.Member.ClientId)))
            .ToLookup(pair => pair.Queue, pair => pair.ClientId);

        // Who pops from whatever queue of a broker is named at each that is known.
        MessageQueue[] known = [.. offsets.Keys.Union(popped.Where(pair => pair.Value.InFlight > 0 || pair.Value.BrokerOffset > pair.Value.NextOffset).Select(pair => pair.Key))];
        IEnumerable<MessageQueue> queues = known.Union(assigned
            .Select(each => each.Key)
            .Where(queue => queue.QueueId >= 0 || !known.Any(one => AnyOf(one) == queue)));
        return
        [
            .. queues.Order().Select(queue =>
            {
                // Of what comes back to those that pop, only the pops tell.
                PopsInFlightOfQueue? pop = popped.GetValueOrDefault(queue);
                OffsetWrapper? progress = offsets.GetValueOrDefault(queue)
                    ?? (pop is null ? null : new OffsetWrapper { BrokerOffset = pop.BrokerOffset, ConsumerOffset = pop.NextOffset });
                long? consumed = progress?.ConsumerOffset is >= 0 and long offset ? offset : null;
                return new GroupQueue(
                    queue.Topic,
                    queue.BrokerName,
                    queue.QueueId,
                    [.. assigned[queue].Union(assigned[AnyOf(queue)], StringComparer.Ordinal).Order(StringComparer.Ordinal)],
                    progress?.BrokerOffset,
                    consumed,
                    progress is null ? null : Math.Max(0, progress.BrokerOffset - (consumed ?? 0)),
                    pop is not null ? pop.InFlight
                        : progress is null ? null
                        : Math.Max(0, progress.PullOffset - (consumed ?? 0)),
                    progress?.LastTimestamp is > 0 and long time ? time : null);
            }),
        ];

        static MessageQueue AnyOf(MessageQueue queue) => queue with { QueueId = -1 };
    }

    private static async Task<long> CountDeadLettersAsync(
        ToolRun run, string group, IEnumerable<BrokerNode> holders, CancellationToken cancel)
    {
        long[] counts = await Task.WhenAll(holders.Select(async holder =>
        {
            try
            {
                IReadOnlyDictionary<MessageQueue, TopicOffset> queues = await run.Cluster.Admin
                    .GetTopicOffsetsAsync(holder.Address, TopicNames.DeadLetterOf(group), cancel).ConfigureAwait(false);
                return queues.Values.Sum(queue => queue.MaxOffset - queue.MinOffset);
            }
            catch (BrokerException e) when (e.Code == ResponseCode.TopicNotExist)
            {
                return 0;
            }
        })).ConfigureAwait(false);
        return counts.Sum();
    }

    private static bool IsRetry(GroupQueue queue) => queue.Topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);

    private static void Print(GroupDescription group, CommandContext context)
    {
        TextWriter output = context.Output;
        output.WriteLine($"Group         {Printable.Line(group.Group)} at {string.Join(", ", group.Brokers)}");
        output.WriteLine($"State         {(group.Enabled ? "enabled" : "disabled")}, {group.RetryMaxTimes} retries");
        output.WriteLine(group.Members.Count == 0
            ? "Members       none"
            : $"Members       {group.Members.Count}, {group.ConsumeType} {group.MessageModel}");
        output.WriteLine($"Lag           {Printable.Number(group.Lag)}");
        output.WriteLine($"In flight     {Printable.Number(group.InFlight)}");
        output.WriteLine($"Retries       {Printable.Number(group.Retries)}");
        output.WriteLine($"Dead letters  {Printable.Number(group.DeadLetters)}");
        WriteTable(context, group.Subscriptions, FillSubscriptions);
        WriteTable(context, group.Members, FillMembers);
        WriteTable(context, group.Queues, (queues, grid) => FillQueues(queues, grid, context.Time));
    }

    private static void WriteTable<T>(CommandContext context, IReadOnlyList<T> rows, Action<IReadOnlyList<T>, Grid> fill)
    {
        if (rows.Count > 0)
        {
            context.Output.WriteLine();
            var grid = new Grid();
            fill(rows, grid);
            grid.WriteTo(context);
        }
    }

    private static void FillSubscriptions(IReadOnlyList<GroupSubscription> subscriptions, Grid grid)
    {
        grid.Column("SUBSCRIBED TOPIC").Column("TYPE").Column("EXPRESSION");
        foreach (GroupSubscription each in subscriptions)
        {
            grid.Row(each.Topic, each.ExpressionType, each.Expression);
        }
    }

    private static void FillMembers(IReadOnlyList<GroupMember> members, Grid grid)
    {
        grid.Column("CLIENT").Column("ADDRESS").Column("LANGUAGE").Number("QUEUES");
        foreach (GroupMember member in members)
        {
            grid.Row(member.ClientId, member.Address, member.Language, member.Queues is { } count ? Printable.Number(count) : null);
        }
    }

    private static void FillQueues(IReadOnlyList<GroupQueue> queues, Grid grid, TimeProvider time)
    {
        grid.Column("TOPIC").Column("BROKER").Number("QUEUE").Number("BROKER OFFSET").Number("GROUP OFFSET").Number("LAG").Number("IN FLIGHT")
            .Column("LAST CONSUMED").Column("CLIENT");
        foreach (GroupQueue queue in queues)
        {
            grid.Row(
                queue.Topic,
                queue.Broker,
                queue.Queue < 0 ? "any" : Printable.Number(queue.Queue),
                Text(queue.BrokerOffset),
                Text(queue.ConsumerOffset),
                Text(queue.Lag),
                Text(queue.InFlight),
                Printable.Time(queue.LastConsumedTimestampMs ?? 0, time),
                string.Join(' ', queue.ClientIds));
        }

        static string? Text(long? number) => number is { } value ? Printable.Number(value) : null;
    }
}
