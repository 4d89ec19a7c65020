using System.CommandLine;
using System.Runtime.CompilerServices;
using GrayMQ.Cli.Groups;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message resend</c></summary>
internal sealed class MessageResendCommand
{
    private const int PullBatch = 32;

    // Then something is wrong that the next ones would meet as well.
    private const int MaxFailuresInARow = 10;

    private readonly Argument<string> _group = GroupCommands.GroupArgument();
    private readonly DeadLetterSelection _selection = new();
    private readonly Option<string?> _to = new("--to") { Description = "To this topic (default: where each came from)", HelpName = "TOPIC" };
    private readonly Option<bool> _groupOnly = new("--group-only")
    {
        Description = "By the group's retry topic: other groups that consume the topic do not see them again",
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show which are meant, and send nothing" };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask" };

    public static Command Create(ToolHost host)
    {
        var self = new MessageResendCommand();
        var command = new Command("resend", "Send dead letters of a consumer group again; as dead letters they stay where they are");
        command.Arguments.Add(self._group);
        self._selection.AddTo(command);
        foreach (Option option in new Option[] { self._to, self._groupOnly, self._dryRun, self._yes })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetResult(self._to) is { Implicit: false } && result.GetResult(self._groupOnly) is { Implicit: false })
            {
                result.AddError("expected --to or --group-only, not both");
            }
        });
        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        string group = run.Get(_group);
        Cluster.RequireGroupName(group);
        _selection.Read(run);
        if (run.Get(_to) is { } to)
        {
            await run.Cluster.RouteAsync(to, cancel).ConfigureAwait(false);
        }

        IReadOnlyList<DeadLetterQueue> queues = await OpenAsync(run, group, cancel).ConfigureAwait(false);
        long atMost = queues.Sum(queue => queue.End - queue.Begin);
        if (_selection.IsAll && atMost > 0 && !run.Get(_dryRun) && !run.Get(_yes)
            && !await Confirmation.AskAsync(
                run.Context, $"Send {Printable.Number(atMost)} dead letters of group {group} again?", cancel).ConfigureAwait(false))
        {
            throw new CommandFailure(ExitCode.Failure, "nothing was sent");
        }

        List<ResentMessage> messages = await ResendAsync(run, group, queues, cancel).ConfigureAwait(false);
        var result = new ResendResult(
            group,
            TopicNames.DeadLetterOf(group),
            run.Get(_dryRun),
            messages.Count,
            messages.Count(message => message.NewOffsetMessageId is not null),
            messages.Count(message => message.Error is not null),
            messages);
        if (messages.Count == 0)
        {
            throw CommandFailure.NotFound($"group {group} has no such dead letter");
        }

        run.WriteGrid(result, ResultJson.Document.ResendResult, (shown, grid) => Fill(shown, grid, run.Context.Time));
        run.Note(result.DryRun
            ? $"\n{Printable.Number(result.Selected)} dead letters are meant. Nothing was sent."
            : $"\nSent {Printable.Number(result.Sent)} of {Printable.Number(result.Selected)} again. As dead letters they stay in {result.From}: this command sends them again each time.");
        if (!result.DryRun && result.Sent < result.Selected)
        {
            throw new CommandFailure(
                ExitCode.Failure,
                $"{Printable.Number(result.Failed)} were not sent, and {Printable.Number(result.Selected - result.Sent - result.Failed)} "
                + $"were not tried: {messages.First(message => message.Error is not null).Error}");
        }
    }

    private async Task<IReadOnlyList<DeadLetterQueue>> OpenAsync(ToolRun run, string group, CancellationToken cancel)
    {
        string topic = TopicNames.DeadLetterOf(group);
        AdminClient admin = run.Cluster.Admin;
        if (await admin.FindRouteAsync(topic, cancel).ConfigureAwait(false) is null)
        {
            throw CommandFailure.NotFound($"group {group} has no dead letters");
        }

        var readable = await run.Cluster.ReadableQueuesAsync(topic, cancel).ConfigureAwait(false);
        if (readable.Count == 0)
        {
            throw new CommandFailure(
                ExitCode.Failure, $"topic {topic} may not be read; 'graymq topic create \"{topic}\" --perm rw' lets it be");
        }

        return await Task.WhenAll(readable.Select(async queue =>
        {
            long first = await admin.GetMinOffsetAsync(queue.Address, queue.Queue, cancel).ConfigureAwait(false);
            long begin = _selection.BeginMs is { } time
                ? await admin.FindOffsetAsync(queue.Address, queue.Queue, time, cancel).ConfigureAwait(false)
                : first;

            // What fails from now on, perhaps because it was sent again, is not meant.
            long end = await admin.GetMaxOffsetAsync(queue.Address, queue.Queue, cancel).ConfigureAwait(false);
            return new DeadLetterQueue(queue.Queue, queue.Address, Math.Max(first, begin), end);
        })).ConfigureAwait(false);
    }

    private async Task<List<ResentMessage>> ResendAsync(
        ToolRun run, string group, IReadOnlyList<DeadLetterQueue> queues, CancellationToken cancel)
    {
        var resending = new Resending(run.Cluster);
        var results = new List<ResentMessage>();
        int failuresInARow = 0;
        foreach (DeadLetterQueue queue in queues)
        {
            await foreach (ReceivedMessage message in ReadAsync(run.Cluster.Admin, queue, cancel).ConfigureAwait(false))
            {
                string? origin = Resending.OriginTopicOf(message);
                string? target = run.Get(_groupOnly)
                    ? await resending.RetryTopicAsync(group, message, origin, cancel).ConfigureAwait(false)
                    : run.Get(_to) ?? origin;
                (string? Id, string? Error) outcome = run.Get(_dryRun) || failuresInARow >= MaxFailuresInARow
                    ? (null, null)
                    : target is null || (run.Get(_groupOnly) && origin is null)
                        ? (null, "nothing tells where it came from; --to says where it is to go")
                        : await SendAsync(resending, message, target, run.Get(_groupOnly) ? origin : null, cancel).ConfigureAwait(false);
                failuresInARow = outcome.Error is not null ? failuresInARow + 1
                    : outcome.Id is not null ? 0
                    : failuresInARow;
                results.Add(new ResentMessage(
                    message.MessageId,
                    message.OffsetMessageId,
                    DeadLetterSelection.KeysOf(message),
                    message.StoreTimestampMs,
                    origin,
                    target,
                    outcome.Id,
                    outcome.Error));
            }
        }

        return results;
    }

    private async IAsyncEnumerable<ReceivedMessage> ReadAsync(
        AdminClient admin, DeadLetterQueue queue, [EnumeratorCancellation] CancellationToken cancel)
    {
        long offset = queue.Begin;
        while (offset < queue.End)
        {
            PulledMessages pulled =
                await admin.PullAsync(queue.Address, queue.Queue, offset, PullBatch, cancel: cancel).ConfigureAwait(false);
            foreach (ReceivedMessage message in pulled.Messages)
            {
                if (message.QueueOffset < queue.End && _selection.Contains(message))
                {
                    yield return message;
                }
            }

            if (pulled.NextOffset <= offset)
            {
                yield break;
            }

            offset = pulled.NextOffset;
        }
    }

    private static async Task<(string? Id, string? Error)> SendAsync(
        Resending resending, ReceivedMessage message, string target, string? origin, CancellationToken cancel)
    {
        try
        {
            SendMessageResponseHeader sent = await resending.SendAsync(message, target, origin, cancel).ConfigureAwait(false);
            return (sent.MessageId, null);
        }
        catch (Exception e) when (e is CommandFailure or GrayMQException or IOException or TimeoutException)
        {
            return (null, e.Message);
        }
    }

    private static void Fill(ResendResult result, Grid grid, TimeProvider time)
    {
        grid.Column("FAILED").Column("ORIGIN").Column("TARGET").Column("KEYS").Column("MESSAGE ID").Column("OUTCOME");
        foreach (ResentMessage message in result.Messages)
        {
            grid.Row(
                Printable.Time(message.StoreTimestampMs, time),
                message.OriginTopic,
                message.Target,
                string.Join(' ', message.Keys),
                message.MessageId,
                message.Error ?? (message.NewOffsetMessageId is not null ? "sent" : result.DryRun ? "would be sent" : "not tried"));
        }
    }

    /// <param name="Begin">The first offset to look at.</param>
    /// <param name="End">Behind the last.</param>
    private sealed record DeadLetterQueue(MessageQueue Queue, string Address, long Begin, long End);
}
