using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Client.Admin;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message pull</c></summary>
internal sealed class MessagePullCommand
{
    private const int DefaultMax = 32;
    private static readonly TimeSpan FollowWait = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FollowRetry = TimeSpan.FromSeconds(1);

    private readonly Argument<string> _topic = TopicCommands.TopicArgument();
    private readonly Option<int?> _queue = new("--queue") { Description = "Only this queue", HelpName = "N" };
    private readonly Option<string?> _broker = new("--broker") { Description = "Only queues of this broker", HelpName = "NAME" };
    private readonly Option<string?> _offset = new("--offset")
    {
        Description = "Where to begin in each queue: a number, earliest or latest (default: so that the newest are shown)",
        HelpName = "N",
    };

    private readonly Option<int> _max = new("--max")
    {
        Description = $"Most messages (default {DefaultMax})",
        HelpName = "N",
        DefaultValueFactory = _ => DefaultMax,
    };

    private readonly Option<string> _tags = new("--tags")
    {
        Description = "Only these: TagA || TagB",
        HelpName = "TAGS",
        DefaultValueFactory = _ => "*",
    };

    private readonly Option<bool> _follow = new("--follow", "-f")
    {
        Description = "Go on with what comes, until interrupted; JSON has one document per line then",
    };

    public static Command Create(ToolHost host)
    {
        var self = new MessagePullCommand();
        var command = new Command("pull", "Read messages without consuming them: no group's offset changes");
        command.Arguments.Add(self._topic);
        foreach (Option option in new Option[] { self._queue, self._broker, self._offset, self._max, self._tags, self._follow })
        {
            command.Options.Add(option);
        }

        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        int max = CommandFailure.RequireAtLeast(_max.Name, run.Get(_max), least: 1);
        var queues = await FindQueuesAsync(run, cancel).ConfigureAwait(false);
        QueueReading[] readings = await Task.WhenAll(queues.Select(async queue =>
            await BeginAsync(run, queue.Queue, queue.Address, max, cancel).ConfigureAwait(false))).ConfigureAwait(false);
        List<MessageView>[] read = await Task.WhenAll(
            readings.Select(reading => ReadAsync(run, reading, max, cancel))).ConfigureAwait(false);

        // By store time over all queues; those that are shown are the newest, or the first from the offset on.
        IEnumerable<MessageView> ordered = read.SelectMany(messages => messages)
            .OrderBy(message => message.StoreTimestampMs).ThenBy(message => message.PhysicalOffset);
        IReadOnlyList<MessageView> shown = [.. run.Get(_offset) is null ? ordered.TakeLast(max) : ordered.Take(max)];
        if (run.Get(_follow))
        {
            await FollowAsync(run, readings, shown, cancel).ConfigureAwait(false);
            return;
        }

        run.WriteGrid(
            new MessageListing(shown),
            ResultJson.Document.MessageListing,
            (result, grid) => MessagePrinter.Fill(result.Messages, grid, run.Context.Time));
        if (shown.Count == 0)
        {
            run.Note("There are no messages there.");
        }
    }

    private async Task<IReadOnlyList<(MessageQueue Queue, string Address)>> FindQueuesAsync(ToolRun run, CancellationToken cancel)
    {
        var all = await run.Cluster.ReadableQueuesAsync(run.Get(_topic), cancel).ConfigureAwait(false);
        (int? id, string? broker) = (run.Get(_queue), run.Get(_broker));
        (MessageQueue Queue, string Address)[] chosen =
        [
            .. all.Where(queue => (id ?? queue.Queue.QueueId) == queue.Queue.QueueId && (broker ?? queue.Queue.BrokerName) == queue.Queue.BrokerName),
        ];
        return chosen.Length > 0
            ? chosen
            : throw CommandFailure.NotFound($"topic {run.Get(_topic)} has no such queue that can be read; 'topic route' shows what it has");
    }

    private async Task<QueueReading> BeginAsync(ToolRun run, MessageQueue queue, string address, int max, CancellationToken cancel)
    {
        AdminClient admin = run.Cluster.Admin;
        long offset = run.Get(_offset) switch
        {
            null => Math.Max(
                await admin.GetMinOffsetAsync(address, queue, cancel).ConfigureAwait(false),
                await admin.GetMaxOffsetAsync(address, queue, cancel).ConfigureAwait(false) - max),
            "earliest" => await admin.GetMinOffsetAsync(address, queue, cancel).ConfigureAwait(false),
            "latest" => await admin.GetMaxOffsetAsync(address, queue, cancel).ConfigureAwait(false),
            var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) => number,
            var text => throw CommandFailure.Usage($"--offset: {text}: expected a number, earliest or latest"),
        };
        return new QueueReading(queue, address) { Offset = offset };
    }

    // Until the queue's end, or as many as may be shown.
    private async Task<List<MessageView>> ReadAsync(ToolRun run, QueueReading reading, int max, CancellationToken cancel)
    {
        var messages = new List<MessageView>();
        while (messages.Count < max)
        {
            long before = reading.Offset;
            PulledMessages pulled = await PullAsync(run, reading, max - messages.Count, TimeSpan.Zero, cancel).ConfigureAwait(false);
            messages.AddRange(pulled.Messages.Select(message => MessageView.Of(message, reading.Queue.BrokerName)));
            if (pulled.Status == PullStatus.Nothing || reading.Offset >= pulled.MaxOffset
                || (reading.Offset == before && pulled.Status != PullStatus.Found))
            {
                break;
            }
        }

        return messages;
    }

    private async Task<PulledMessages> PullAsync(
        ToolRun run, QueueReading reading, int max, TimeSpan wait, CancellationToken cancel)
    {
        PulledMessages pulled = await run.Cluster.Admin.PullAsync(
            reading.Address, reading.Queue, reading.Offset, max, run.Get(_tags) ?? "*", wait, cancel).ConfigureAwait(false);
        reading.Offset = pulled.NextOffset;
        return pulled;
    }

    private async Task FollowAsync(
        ToolRun run, IReadOnlyList<QueueReading> readings, IReadOnlyList<MessageView> shown, CancellationToken cancel)
    {
        var printing = new Lock();
        foreach (MessageView message in shown)
        {
            Print(message);
        }

        try
        {
            await Task.WhenAll(readings.Select(FollowQueueAsync)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Interrupting is how following ends.
        }

        async Task FollowQueueAsync(QueueReading reading)
        {
            while (true)
            {
                try
                {
                    PulledMessages pulled = await PullAsync(run, reading, DefaultMax, FollowWait, cancel).ConfigureAwait(false);
                    foreach (MessageView message in pulled.Messages.Select(message => MessageView.Of(message, reading.Queue.BrokerName)))
                    {
                        Print(message);
                    }
                }
                catch (Exception e) when (e is IOException or TimeoutException)
                {
                    // The broker is being restarted, perhaps: whoever follows waits for it.
                    await Task.Delay(FollowRetry, run.Context.Time, cancel).ConfigureAwait(false);
                }
            }
        }

        void Print(MessageView message)
        {
            lock (printing)
            {
                run.Context.WriteLine(run.IsJson
                    ? JsonSerializer.Serialize(message, ResultJson.Line.MessageView)
                    : MessagePrinter.Line(message, run.Context.Time));
            }
        }
    }

    /// <summary>How far a queue has been read.</summary>
    private sealed class QueueReading(MessageQueue queue, string address)
    {
        public MessageQueue Queue => queue;

        public string Address => address;

        public long Offset { get; set; }
    }
}
