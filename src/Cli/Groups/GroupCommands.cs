using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Groups;

/// <summary><c>graymq group …</c></summary>
internal static class GroupCommands
{
    public static Command Create(ToolHost host) => host.Group(
        "group", "Create, look at and delete consumer groups", Save(host), List(host), GroupShowCommand.Create(host), Delete(host));

    /// <summary>The name of a consumer group.</summary>
    public static Argument<string> GroupArgument() => new("GROUP") { Description = "Name of the consumer group" };

    /// <summary>How a group's consumers get their messages; null when there are none.</summary>
    public static string? TypeName(ConsumerConnection? online) => online?.ConsumeType switch
    {
        ConsumeType.Passively => "PUSH",
        ConsumeType.Actively => "PULL",
        ConsumeType.Pop => "POP",
        _ => null,
    };

    private static Command Save(ToolHost host)
    {
        Argument<string> name = GroupArgument();
        var retries = new Option<int?>("--retries")
        {
            Description = "How often a message that failed is tried again (default 16)",
            HelpName = "N",
        };
        var retryQueues = new Option<int?>("--retry-queues")
        {
            Description = "Queues of the retry topic at each broker (default 1)",
            HelpName = "N",
        };
        var disabled = new Option<bool?>("--disabled") { Description = "The group may not consume; --disabled false lets it again" };
        var broadcast = new Option<bool?>("--broadcast") { Description = "Whether its consumers may broadcast (default true)" };
        var orderly = new Option<bool?>("--orderly") { Description = "Whether it consumes in order (default false)" };
        var scope = new BrokerScope();
        var command = new Command("create", "Create a consumer group, or change one: what is not said stays as it is");
        command.Arguments.Add(name);
        foreach (Option option in new Option[] { retries, retryQueues, disabled, broadcast, orderly })
        {
            command.Options.Add(option);
        }

        scope.AddTo(command);
        host.OnRun(command, async (run, cancel) =>
        {
            string group = run.Get(name);
            Cluster.RequireGroupName(group);
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            bool existed = false;
            foreach (BrokerNode master in masters)
            {
                SubscriptionGroupConfig? former =
                    (await run.Cluster.Admin.GetGroupsAsync(master.Address, cancel).ConfigureAwait(false)).GetValueOrDefault(group);
                existed |= former is not null;
                former ??= new SubscriptionGroupConfig { GroupName = group };
                SubscriptionGroupConfig wanted = former with
                {
                    RetryMaxTimes = run.Get(retries) ?? former.RetryMaxTimes,
                    RetryQueueNums = run.Get(retryQueues) ?? former.RetryQueueNums,
                    ConsumeEnable = run.Get(disabled) is { } off ? !off : former.ConsumeEnable,
                    ConsumeBroadcastEnable = run.Get(broadcast) ?? former.ConsumeBroadcastEnable,
                    ConsumeMessageOrderly = run.Get(orderly) ?? former.ConsumeMessageOrderly,
                };
                await run.Cluster.Admin.SaveGroupAsync(master.Address, wanted, cancel).ConfigureAwait(false);
            }

            var result = new GroupChange(group, existed ? "updated" : "created", [.. masters.Select(master => master.Name)]);
            run.Write(
                result,
                ResultJson.Document.GroupChange,
                _ => run.Context.Output.WriteLine($"Group {group} is {result.Change} at {string.Join(", ", result.Brokers)}."));
        });
        return command;
    }

    private static Command List(ToolHost host)
    {
        var all = new Option<bool>("--all") { Description = "Also the brokers' own" };
        var scope = new BrokerScope();
        var command = new Command("list", "List consumer groups with how many consumers are connected");
        command.Options.Add(all);
        scope.AddTo(command);
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            var groups = new List<(BrokerNode Master, SubscriptionGroupConfig Group)>();
            foreach (BrokerNode master in masters)
            {
                IReadOnlyDictionary<string, SubscriptionGroupConfig> table =
                    await run.Cluster.Admin.GetGroupsAsync(master.Address, cancel).ConfigureAwait(false);
                groups.AddRange(table.Values.Where(group => run.Get(all) || !IsSystem(group.GroupName)).Select(group => (master, group)));
            }

            GroupSummary[] summaries = await Task.WhenAll(groups
                .GroupBy(pair => pair.Group.GroupName, StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => SummarizeAsync(run, group.Key, [.. group], cancel))).ConfigureAwait(false);
            run.WriteGrid(new GroupListing(summaries), ResultJson.Document.GroupListing, Fill);
            if (summaries.Length == 0)
            {
                run.Note("There are no consumer groups yet; --all shows the brokers' own.");
            }
        });
        return command;
    }

    private static Command Delete(ToolHost host)
    {
        Argument<string> name = GroupArgument();
        var keepOffsets = new Option<bool>("--keep-offsets") { Description = "The brokers go on knowing how far it has come" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var scope = new BrokerScope();
        var command = new Command("delete", "Delete a consumer group with its offsets; its retry topic and dead letters stay");
        command.Arguments.Add(name);
        command.Options.Add(keepOffsets);
        scope.AddTo(command);
        command.Options.Add(yes);
        host.OnRun(command, async (run, cancel) =>
        {
            string group = run.Get(name);
            Cluster.RequireGroupName(group);
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            IReadOnlyDictionary<string, SubscriptionGroupConfig>[] tables = await Task.WhenAll(
                masters.Select(master => run.Cluster.Admin.GetGroupsAsync(master.Address, cancel))).ConfigureAwait(false);
            BrokerNode[] holders = [.. masters.Where((_, i) => tables[i].ContainsKey(group))];
            if (holders.Length == 0)
            {
                throw Cluster.GroupNotFound(group, tables.SelectMany(table => table.Keys));
            }

            string where = string.Join(", ", holders.Select(holder => holder.Name));
            if (!run.Get(yes)
                && !await Confirmation.AskAsync(run.Context, $"Delete group {group} at {where}?", cancel).ConfigureAwait(false))
            {
                throw new CommandFailure(ExitCode.Failure, "nothing was deleted");
            }

            foreach (BrokerNode holder in holders)
            {
                await run.Cluster.Admin.DeleteGroupAsync(holder.Address, group, !run.Get(keepOffsets), cancel).ConfigureAwait(false);
            }

            run.Write(
                new GroupChange(group, "deleted", [.. holders.Select(holder => holder.Name)]),
                ResultJson.Document.GroupChange,
                _ => run.Context.Output.WriteLine($"Group {group} is deleted at {where}."));
        });
        return command;
    }

    private static async Task<GroupSummary> SummarizeAsync(
        ToolRun run, string group, IReadOnlyList<(BrokerNode Master, SubscriptionGroupConfig Group)> brokers, CancellationToken cancel)
    {
        ConsumerConnection?[] found = await Task.WhenAll(brokers.Select(
            pair => run.Cluster.Admin.FindConsumersAsync(pair.Master.Address, group, cancel))).ConfigureAwait(false);
        ConsumerConnection[] online = [.. found.OfType<ConsumerConnection>()];

        // A consumer is connected to every broker: it counts once.
        int clients = online.SelectMany(connection => connection.ConnectionSet).Select(client => client.ClientId).Distinct().Count();
        SubscriptionGroupConfig config = brokers[0].Group;
        return new GroupSummary(
            group,
            [.. brokers.Select(pair => pair.Master.Name)],
            clients,
            TypeName(online.FirstOrDefault()),
            online.FirstOrDefault()?.MessageModel?.ToString().ToUpperInvariant(),
            config.ConsumeEnable,
            config.ConsumeBroadcastEnable,
            config.RetryMaxTimes,
            config.RetryQueueNums);
    }

    private static void Fill(GroupListing result, Grid grid)
    {
        grid.Column("GROUP").Number("CLIENTS").Column("TYPE").Column("MODEL").Column("STATE").Number("RETRIES").Column("BROKERS");
        foreach (GroupSummary group in result.Groups)
        {
            grid.Row(
                group.Group,
                Printable.Number(group.Clients),
                group.ConsumeType,
                group.MessageModel,
                group.Enabled ? "enabled" : "disabled",
                Printable.Number(group.RetryMaxTimes),
                string.Join(", ", group.Brokers));
        }
    }

    private static bool IsSystem(string group) =>
        group.StartsWith(GroupNames.SystemPrefix, StringComparison.Ordinal) || SystemGroups.Contains(group);

    private static readonly HashSet<string> SystemGroups = new(StringComparer.Ordinal)
    {
        GroupNames.Tools,
        GroupNames.FilterServer,
        GroupNames.SelfTest,
        GroupNames.HttpProxy,
        GroupNames.OnsPull,
        GroupNames.OnsPermission,
        GroupNames.OnsOwner,
    };
}
