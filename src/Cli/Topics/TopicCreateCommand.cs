using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Topics;

/// <summary><c>graymq topic create</c></summary>
internal sealed class TopicCreateCommand
{
    private const int DefaultQueues = 8;
    private static readonly TimeSpan RoutePollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RouteTimeout = TimeSpan.FromSeconds(3);

    private readonly Argument<string> _name = TopicCommands.TopicArgument();
    private readonly BrokerScope _scope = new();
    private readonly Option<int?> _queues =
        new("--queues") { Description = $"Queues at each broker (default {DefaultQueues})", HelpName = "N" };

    private readonly Option<int?> _readQueues =
        new("--read-queues") { Description = "Queues that are read, where that is another number", HelpName = "N" };

    private readonly Option<int?> _writeQueues =
        new("--write-queues") { Description = "Queues that are written, where that is another number", HelpName = "N" };

    private readonly Option<string?> _permission =
        new("--perm") { Description = "rw (default), r or w", HelpName = "PERM" };

    private readonly Option<bool> _order = new("--order") { Description = "Clients keep to the order of queues" };

    private readonly Option<string[]> _attributes =
        new("--attribute") { Description = "An attribute, for instance message.type=NORMAL; may be given again", HelpName = "KEY=VALUE" };

    private TopicCreateCommand()
    {
        _permission.AcceptOnlyFromAmong("rw", "r", "w");
    }

    public static Command Create(ToolHost host)
    {
        var self = new TopicCreateCommand();
        var command = new Command("create", "Create a topic, or change one: what is not said stays as it is");
        command.Arguments.Add(self._name);
        command.Options.Add(self._queues);
        command.Options.Add(self._readQueues);
        command.Options.Add(self._writeQueues);
        command.Options.Add(self._permission);
        command.Options.Add(self._order);
        command.Options.Add(self._attributes);
        self._scope.AddTo(command);
        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        string topic = run.Get(_name);
        Cluster.RequireTopicName(topic);
        Require(_queues, atLeast: 1);
        Require(_readQueues, atLeast: 0);
        Require(_writeQueues, atLeast: 0);
        IReadOnlyList<BrokerNode> masters = await _scope.MastersAsync(run, cancel).ConfigureAwait(false);
        bool existed = false;
        foreach (BrokerNode master in masters)
        {
            TopicConfig? former = (await run.Cluster.Admin.GetTopicsAsync(master.Address, cancel).ConfigureAwait(false))
                .GetValueOrDefault(topic);
            existed |= former is not null;
            await run.Cluster.Admin.SaveTopicAsync(master.Address, Configure(run, topic, former), cancel).ConfigureAwait(false);
        }

        await WaitForRouteAsync(run, topic, masters, cancel).ConfigureAwait(false);
        var result = new TopicChange(topic, existed ? "updated" : "created", [.. masters.Select(master => master.Name)]);
        run.Write(
            result,
            ResultJson.Document.TopicChange,
            _ => run.Context.Output.WriteLine($"Topic {topic} is {result.Change} at {string.Join(", ", result.Brokers)}."));

        void Require(Option<int?> option, int atLeast)
        {
            if (run.Get(option) is { } given)
            {
                CommandFailure.RequireAtLeast(option.Name, given, atLeast);
            }
        }
    }

    private TopicConfig Configure(ToolRun run, string topic, TopicConfig? former)
    {
        former ??= new TopicConfig
        {
            TopicName = topic,
            ReadQueueNums = DefaultQueues,
            WriteQueueNums = DefaultQueues,
            Perm = TopicPermission.ReadWrite,
        };
        return former with
        {
            ReadQueueNums = run.Get(_readQueues) ?? run.Get(_queues) ?? former.ReadQueueNums,
            WriteQueueNums = run.Get(_writeQueues) ?? run.Get(_queues) ?? former.WriteQueueNums,
            Perm = run.Get(_permission) switch
            {
                "rw" => TopicPermission.ReadWrite,
                "r" => TopicPermission.Read,
                "w" => TopicPermission.Write,
                _ => former.Perm,
            },
            Order = run.Get(_order) || former.Order,
            Attributes = (run.Get(_attributes) ?? []).Select(Split).ToDictionary(pair => pair.Key, pair => pair.Value),
        };
    }

    private static KeyValuePair<string, string> Split(string attribute) => attribute.Split('=', 2) is [{ Length: > 0 } key, var value]
        ? KeyValuePair.Create(key, value)
        : throw CommandFailure.Usage($"--attribute {attribute}: expected KEY=VALUE");

    // Brokers tell the name servers in their own time; a topic that was created can be used when this returns.
    private static async Task WaitForRouteAsync(
        ToolRun run, string topic, IReadOnlyList<BrokerNode> masters, CancellationToken cancel)
    {
        TimeProvider time = run.Context.Time;
        long start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < RouteTimeout)
        {
            TopicRouteData? route = await run.Cluster.Admin.FindRouteAsync(topic, cancel).ConfigureAwait(false);
            if (route is not null && masters.All(master => route.QueueDatas.Exists(data => data.BrokerName == master.Name)))
            {
                return;
            }

            await Task.Delay(RoutePollInterval, time, cancel).ConfigureAwait(false);
        }

        run.Note($"The name servers do not show {topic} everywhere yet.");
    }
}
