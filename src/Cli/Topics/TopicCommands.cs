using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Topics;

/// <summary><c>graymq topic …</c></summary>
internal static class TopicCommands
{
    public static Command Create(ToolHost host) => host.Group(
        "topic", "Create, look at and delete topics", TopicCreateCommand.Create(host), List(host), Route(host), Delete(host));

    private static Command List(ToolHost host)
    {
        var all = new Option<bool>("--all") { Description = "Also retry topics, dead letters and the brokers' own" };
        var scope = new BrokerScope();
        var command = new Command("list", "List topics");
        command.Options.Add(all);
        scope.AddTo(command);
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            var tables = await Task.WhenAll(masters.Select(async master =>
                (Master: master, Topics: await run.Cluster.Admin.GetTopicsAsync(master.Address, cancel).ConfigureAwait(false))))
                .ConfigureAwait(false);
            HashSet<string> ownNames = [.. masters.SelectMany(master => new[] { master.Cluster, master.Name })];
            var result = new TopicListing(
            [
                .. tables
                    .SelectMany(table => table.Topics.Values.Select(topic => (table.Master, Topic: topic)))
                    .GroupBy(pair => pair.Topic.TopicName, StringComparer.Ordinal)
                    .Select(group => new TopicSummary(
                        group.Key, KindOf(group.Key, ownNames), [.. group.Select(pair => At(pair.Master, pair.Topic))]))
                    .Where(topic => run.Get(all) || topic.Kind == "normal")
                    .OrderBy(topic => topic.Topic, StringComparer.Ordinal),
            ]);
            run.WriteGrid(result, ResultJson.Document.TopicListing, Fill);
            if (result.Topics.Count == 0)
            {
                run.Note("There are no topics yet; --all shows the brokers' own.");
            }
        });
        return command;
    }

    private static Command Route(ToolHost host)
    {
        Argument<string> name = TopicArgument();
        var command = new Command("route", "Show where a topic lives");
        command.Arguments.Add(name);
        host.OnRun(command, async (run, cancel) =>
        {
            TopicRouteData route = await run.Cluster.RouteAsync(run.Get(name), cancel).ConfigureAwait(false);
            run.WriteGrid(ToResult(run.Get(name), route), ResultJson.Document.TopicRoute, Fill);
        });
        return command;
    }

    private static Command Delete(ToolHost host)
    {
        Argument<string> name = TopicArgument();
        var scope = new BrokerScope();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var command = new Command("delete", "Delete a topic with its messages");
        command.Arguments.Add(name);
        scope.AddTo(command);
        command.Options.Add(yes);
        host.OnRun(command, async (run, cancel) =>
        {
            string topic = run.Get(name);
            Cluster.RequireTopicName(topic);
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            bool[] have = await Task.WhenAll(masters.Select(async master =>
                (await run.Cluster.Admin.GetTopicsAsync(master.Address, cancel).ConfigureAwait(false)).ContainsKey(topic)))
                .ConfigureAwait(false);
            BrokerNode[] holders = [.. masters.Where((_, i) => have[i])];
            if (holders.Length == 0)
            {
                throw await run.Cluster.TopicNotFoundAsync(topic, cancel).ConfigureAwait(false);
            }

            string where = string.Join(", ", holders.Select(holder => holder.Name));
            if (!run.Get(yes)
                && !await Confirmation.AskAsync(run.Context, $"Delete topic {topic} at {where} with all of its messages?", cancel)
                    .ConfigureAwait(false))
            {
                throw new CommandFailure(ExitCode.Failure, "nothing was deleted");
            }

            foreach (BrokerNode holder in holders)
            {
                await run.Cluster.Admin.DeleteTopicAsync(holder.Address, topic, cancel).ConfigureAwait(false);
            }

            if (run.Get(scope.Broker) is null)
            {
                await Task.WhenAll(holders.Select(holder => holder.Cluster).Distinct().Select(
                    cluster => run.Cluster.Admin.DeleteTopicInNameServersAsync(topic, cluster, cancel))).ConfigureAwait(false);
            }

            run.Write(
                new TopicChange(topic, "deleted", [.. holders.Select(holder => holder.Name)]),
                ResultJson.Document.TopicChange,
                _ => run.Context.Output.WriteLine($"Topic {topic} is deleted at {where}."));
        });
        return command;
    }

    /// <summary>The name of a topic.</summary>
    public static Argument<string> TopicArgument() => new("TOPIC") { Description = "Name of the topic" };

    private static void Fill(TopicListing result, Grid grid)
    {
        grid.Column("TOPIC").Column("BROKER").Number("READ").Number("WRITE").Column("PERM").Column("KIND");
        foreach (TopicSummary topic in result.Topics)
        {
            foreach (TopicAtBroker at in topic.Brokers)
            {
                grid.Row(
                    topic.Topic, at.Broker, Printable.Number(at.ReadQueues), Printable.Number(at.WriteQueues), at.Permission, topic.Kind);
            }
        }
    }

    private static void Fill(TopicRoute result, Grid grid)
    {
        grid.Column("BROKER").Column("CLUSTER").Column("ADDRESSES").Number("READ").Number("WRITE").Column("PERM");
        foreach (RouteAtBroker at in result.Brokers)
        {
            grid.Row(
                at.Broker,
                at.Cluster,
                string.Join(", ", at.Addresses.Select(node => node.Key == "0" ? node.Value : $"{node.Value} (slave {node.Key})")),
                Printable.Number(at.ReadQueues),
                Printable.Number(at.WriteQueues),
                at.Permission);
        }
    }

    private static TopicAtBroker At(BrokerNode master, TopicConfig topic) => new(
        master.Cluster,
        master.Name,
        topic.ReadQueueNums,
        topic.WriteQueueNums,
        Printable.Permission(topic.Perm),
        topic.Order,
        topic.Attributes);

    private static TopicRoute ToResult(string topic, TopicRouteData route) => new(
        topic,
        route.OrderTopicConf,
        [
            .. route.QueueDatas.OrderBy(data => data.BrokerName, StringComparer.Ordinal).Select(data =>
            {
                BrokerData? broker = route.BrokerDatas.Find(broker => broker.BrokerName == data.BrokerName);
                return new RouteAtBroker(
                    broker?.Cluster ?? "",
                    data.BrokerName,
                    broker?.BrokerAddrs.OrderBy(node => node.Key).ToDictionary(node => Printable.Number(node.Key), node => node.Value) ?? [],
                    data.ReadQueueNums,
                    data.WriteQueueNums,
                    Printable.Permission(data.Perm));
            }),
        ]);

    private static string KindOf(string topic, HashSet<string> ownNames) =>
        topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal) ? "retry"
        : topic.StartsWith(TopicNames.DeadLetterPrefix, StringComparison.Ordinal) ? "deadLetter"
        : SystemTopics.Contains(topic)
            || topic.StartsWith(TopicNames.SystemPrefix, StringComparison.OrdinalIgnoreCase)
            || topic.EndsWith(TopicNames.ReplySuffix, StringComparison.Ordinal)
            || ownNames.Contains(topic) ? "system"
        : "normal";

    private static readonly HashSet<string> SystemTopics = new(StringComparer.Ordinal)
    {
        TopicNames.AutoCreateTemplate,
        TopicNames.SelfTest,
        TopicNames.Benchmark,
        TopicNames.OffsetMovedEvent,
        TopicNames.Schedule,
        TopicNames.Trace,
        TopicNames.TransactionHalf,
        TopicNames.TransactionOperation,
        TopicNames.TransactionChecksExceeded,
        TopicNames.CheckPoint,
    };
}
