using System.CommandLine;
using GrayMQ.Cli.Messages;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Client.Admin;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Filters;

/// <summary><c>graymq filter test</c></summary>
internal sealed class FilterTestCommand
{
    private const int DefaultLast = 1000;
    private const int DefaultMax = 32;
    private const int MessagesOfPull = 32;

    private readonly Argument<string> _topic = TopicCommands.TopicArgument();
    private readonly Argument<string> _expression = FilterCommands.ExpressionArgument();
    private readonly Option<string> _type = FilterCommands.TypeOption();
    private readonly Option<int> _last = new("--last")
    {
        Description = $"How many of the newest messages of each queue are looked at (default {DefaultLast})",
        HelpName = "N",
        DefaultValueFactory = _ => DefaultLast,
    };

    private readonly Option<int> _max = new("--max")
    {
        Description = $"Most messages that are shown, the newest that match (default {DefaultMax})",
        HelpName = "N",
        DefaultValueFactory = _ => DefaultMax,
    };

    public static Command Create(ToolHost host)
    {
        var self = new FilterTestCommand();
        var command = new Command("test", "Hold a condition against messages that are stored, without consuming them");
        command.Arguments.Add(self._topic);
        command.Arguments.Add(self._expression);
        foreach (Option option in new Option[] { self._type, self._last, self._max })
        {
            command.Options.Add(option);
        }

        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        string type = run.Get(_type) ?? SubscriptionExpression.Sql92Type;
        FilterExpression expression = FilterCommands.Parse(type, run.Get(_expression));
        int last = CommandFailure.RequireAtLeast(_last.Name, run.Get(_last), least: 1);
        int max = CommandFailure.RequireAtLeast(_max.Name, run.Get(_max), least: 1);
        string topic = run.Get(_topic);
        var queues = await run.Cluster.ReadableQueuesAsync(topic, cancel).ConfigureAwait(false);
        QueueTest[] tests = await Task.WhenAll(queues.Select(queue =>
            TestAsync(run.Cluster.Admin, queue.Queue, queue.Address, expression, last, max, cancel))).ConfigureAwait(false);
        MessageView[] newest =
        [
            .. tests.SelectMany(test => test.Newest)
                .OrderBy(message => message.StoreTimestampMs).ThenBy(message => message.PhysicalOffset).TakeLast(max),
        ];
        var result = new FilterTest(
            topic, type, expression.Text, tests.Sum(test => test.LookedAt), tests.Sum(test => test.Matched), newest);
        run.WriteGrid(
            result, ResultJson.Document.FilterTest, (test, grid) => MessagePrinter.Fill(test.Messages, grid, run.Context.Time));
        run.Note($"{Printable.Number(result.Matched)} of {Printable.Number(result.LookedAt)} messages match.");
    }

    private static async Task<QueueTest> TestAsync(
        AdminClient admin, MessageQueue queue, string address, FilterExpression expression, int last, int max, CancellationToken cancel)
    {
        long end = await admin.GetMaxOffsetAsync(address, queue, cancel).ConfigureAwait(false);
        long next = Math.Max(await admin.GetMinOffsetAsync(address, queue, cancel).ConfigureAwait(false), end - last);
        long lookedAt = 0;
        long matched = 0;
        var newest = new Queue<MessageView>();
        while (next < end)
        {
            PulledMessages pulled = await admin.PullAsync(address, queue, next, MessagesOfPull, cancel: cancel).ConfigureAwait(false);
            foreach (ReceivedMessage message in pulled.Messages.Where(message => message.QueueOffset < end))
            {
                lookedAt++;
                if (!expression.Matches(MessagePropertiesCodec.ToBytes(message.Properties)))
                {
                    continue;
                }

                matched++;
                newest.Enqueue(MessageView.Of(message, queue.BrokerName));
                if (newest.Count > max)
                {
                    newest.Dequeue();
                }
            }

            if (pulled.NextOffset <= next)
            {
                break;
            }

            next = pulled.NextOffset;
        }

        return new QueueTest(lookedAt, matched, newest);
    }

    private sealed record QueueTest(long LookedAt, long Matched, IReadOnlyCollection<MessageView> Newest);
}
