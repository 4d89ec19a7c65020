using System.CommandLine;
using GrayMQ.Cli.Groups;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Client.Admin;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Cli.Offsets;

/// <summary><c>graymq offset reset</c></summary>
internal sealed class OffsetResetCommand
{
    private readonly Argument<string> _group = GroupCommands.GroupArgument();
    private readonly Argument<string> _topic = TopicCommands.TopicArgument();
    private readonly Option<bool> _toEarliest = new("--to-earliest") { Description = "To each queue's first message" };
    private readonly Option<bool> _toLatest = new("--to-latest") { Description = "Behind each queue's last message: skips what is there" };
    private readonly Option<string?> _toTime = new("--to-time") { Description = "To what was stored then: " + Times.Expectation, HelpName = "TIME" };
    private readonly Option<long?> _toOffset = new("--to-offset") { Description = "To this offset; --queue says in which queue", HelpName = "N" };
    private readonly Option<int?> _queue = new("--queue") { Description = "Only this queue", HelpName = "N" };
    private readonly Option<string?> _broker = new("--broker") { Description = "Only queues of this broker", HelpName = "NAME" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show what would change, and change nothing" };

    public static Command Create(ToolHost host)
    {
        var self = new OffsetResetCommand();
        var command = new Command("reset", "Have a consumer group go on elsewhere in a topic");
        command.Arguments.Add(self._group);
        command.Arguments.Add(self._topic);
        Option[] targets = [self._toEarliest, self._toLatest, self._toTime, self._toOffset];
        foreach (Option option in targets.Concat([self._queue, self._broker, self._dryRun]))
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (targets.Count(target => result.GetResult(target) is { Implicit: false }) != 1)
            {
                result.AddError("expected one of --to-earliest, --to-latest, --to-time and --to-offset");
            }
        });
        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        (string group, string topic) = (run.Get(_group), run.Get(_topic));
        (int? id, string? broker) = (run.Get(_queue), run.Get(_broker));
        Cluster.RequireGroupName(group);
        long? timestampMs = run.Get(_toTime) is { } text ? Times.Parse("--to-time", text, run.Context.Time) : null;
        (MessageQueue Queue, string Address)[] queues =
        [
            .. (await run.Cluster.ReadableQueuesAsync(topic, cancel).ConfigureAwait(false)).Where(queue =>
                (id ?? queue.Queue.QueueId) == queue.Queue.QueueId && (broker ?? queue.Queue.BrokerName) == queue.Queue.BrokerName),
        ];
        if (queues.Length == 0)
        {
            throw CommandFailure.NotFound($"topic {topic} has no such queue; 'topic route' shows what it has");
        }

        if (run.Get(_toOffset) is not null && queues.Length > 1)
        {
            throw CommandFailure.Usage($"--to-offset: topic {topic} has {queues.Length} queues; --queue (and --broker) says which is meant");
        }

        Dictionary<(string Broker, int Queue), long> before =
            (await OffsetCommands.ProgressAsync(run, group, topic, cancel).ConfigureAwait(false))
            .ToDictionary(progress => (progress.Broker, progress.Queue), progress => progress.ConsumerOffset);
        var resets = new List<QueueReset>();
        foreach ((MessageQueue queue, string address) in queues)
        {
            long target = await TargetAsync(run, queue, address, timestampMs, cancel).ConfigureAwait(false);
            if (!run.Get(_dryRun))
            {
                var reset = new ResetOffsetHeader
                {
                    Group = group,
                    Topic = topic,
                    QueueId = queue.QueueId,
                    Offset = target,
                    IsForce = true,
                };
                await run.Cluster.Admin.ResetOffsetAsync(address, reset, cancel).ConfigureAwait(false);
            }

            resets.Add(new QueueReset(
                queue.BrokerName, queue.QueueId, before.GetValueOrDefault((queue.BrokerName, queue.QueueId), -1), target));
        }

        run.WriteGrid(new OffsetReset(group, topic, run.Get(_dryRun), resets), ResultJson.Document.OffsetReset, Fill);
        if (run.Get(_dryRun))
        {
            run.Note("Nothing was changed.");
        }
    }

    private async Task<long> TargetAsync(
        ToolRun run, MessageQueue queue, string address, long? timestampMs, CancellationToken cancel)
    {
        AdminClient admin = run.Cluster.Admin;
        return run.Get(_toOffset) is { } offset ? offset
            : timestampMs is { } time ? await admin.FindOffsetAsync(address, queue, time, cancel).ConfigureAwait(false)
            : run.Get(_toEarliest) ? await admin.GetMinOffsetAsync(address, queue, cancel).ConfigureAwait(false)
            : await admin.GetMaxOffsetAsync(address, queue, cancel).ConfigureAwait(false);
    }

    private static void Fill(OffsetReset result, Grid grid)
    {
        grid.Column("BROKER").Number("QUEUE").Number("FROM").Number("TO");
        foreach (QueueReset queue in result.Queues)
        {
            grid.Row(
                queue.Broker,
                Printable.Number(queue.Queue),
                queue.From < 0 ? null : Printable.Number(queue.From),
                Printable.Number(queue.To));
        }
    }
}
