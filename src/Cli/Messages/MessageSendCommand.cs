using System.CommandLine;
using System.Text;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message send</c></summary>
internal sealed class MessageSendCommand
{
    private const string FromInput = "-";

    // Brokers refuse more than 4 MiB unless told otherwise; what is far beyond is not read to its end.
    private const int MaxInputBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan ReadablePollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ReadableTimeout = TimeSpan.FromSeconds(1);

    private readonly Argument<string> _topic = TopicCommands.TopicArgument();
    private readonly Argument<string> _body = new("BODY") { Description = "What it says; - reads standard input" };
    private readonly Option<string?> _tags = new("--tags") { Description = "The tag that consumers filter by", HelpName = "TAG" };
    private readonly Option<string[]> _keys = new("--keys")
    {
        Description = "A word by which it can be found; may be given again",
        HelpName = "KEY",
    };

    private readonly Option<string[]> _properties = new("--property")
    {
        Description = "A property of its own; may be given again",
        HelpName = "NAME=VALUE",
    };

    private readonly Option<int?> _queue = new("--queue") { Description = "The queue (default: any)", HelpName = "N" };
    private readonly Option<string?> _broker = new("--broker") { Description = "The broker that --queue is at", HelpName = "NAME" };

    public static Command Create(ToolHost host)
    {
        var self = new MessageSendCommand();
        var command = new Command("send", "Send a message");
        command.Arguments.Add(self._topic);
        command.Arguments.Add(self._body);
        foreach (Option option in new Option[] { self._tags, self._keys, self._properties, self._queue, self._broker })
        {
            command.Options.Add(option);
        }

        host.OnRun(command, self.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        string topic = run.Get(_topic);
        Cluster.RequireTopicName(topic);
        var message = new Message(topic, await ReadBodyAsync(run, cancel).ConfigureAwait(false))
        {
            Tag = run.Get(_tags),
            Keys = run.Get(_keys) ?? [],
        };
        foreach (string property in run.Get(_properties) ?? [])
        {
            message.Properties.Add(property.Split('=', 2) is [{ Length: > 0 } name, var value]
                ? KeyValuePair.Create(name, value)
                : throw CommandFailure.Usage($"--property {property}: expected NAME=VALUE"));
        }

        var producer = new Producer(new ProducerOptions { NameServers = run.NameServers }, time: run.Context.Time);
        await using (producer.ConfigureAwait(false))
        {
            SendResult sent = run.Get(_queue) is { } queue
                ? await producer.SendAsync(message, (queues, _) => Choose(queues, queue, run.Get(_broker)), cancel).ConfigureAwait(false)
                : await producer.SendAsync(message, cancel).ConfigureAwait(false);
            var result = new SentMessage(
                sent.Status.ToString(), sent.MessageId, sent.OffsetMessageId, topic, sent.Queue.BrokerName, sent.Queue.QueueId, sent.QueueOffset);
            await WaitUntilReadableAsync(run, sent, cancel).ConfigureAwait(false);
            run.Write(result, ResultJson.Document.SentMessage, Print);
        }

        void Print(SentMessage result)
        {
            run.Context.Output.WriteLine($"Sent {result.MessageId} to {result.Broker}:{result.Queue}, offset {result.Offset}.");
            if (result.Status != nameof(SendStatus.Ok))
            {
                run.Note($"It is stored, but not as surely as the broker is set: {result.Status}.");
            }
        }
    }

    // A broker acknowledges a message when it is safe, and shows it to readers a moment later. Whoever sends and then looks, as scripts do,
    // finds it.
    private static async Task WaitUntilReadableAsync(ToolRun run, SendResult sent, CancellationToken cancel)
    {
        TimeProvider time = run.Context.Time;
        long start = time.GetTimestamp();
        try
        {
            TopicRouteData? route = await run.Cluster.Admin.FindRouteAsync(sent.Queue.Topic, cancel).ConfigureAwait(false);
            string? address = route?.BrokerDatas.Find(broker => broker.BrokerName == sent.Queue.BrokerName)?.FindPreferredAddress();
            while (address is not null
                && await run.Cluster.Admin.GetMaxOffsetAsync(address, sent.Queue, cancel).ConfigureAwait(false) <= sent.QueueOffset
                && time.GetElapsedTime(start) < ReadableTimeout)
            {
                await Task.Delay(ReadablePollInterval, time, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or GrayMQException)
        {
            // It is sent, which is what counts.
        }
    }

    private async Task<byte[]> ReadBodyAsync(ToolRun run, CancellationToken cancel)
    {
        string body = run.Get(_body);
        if (body != FromInput)
        {
            return Encoding.UTF8.GetBytes(body);
        }

        using var read = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await run.Context.Input.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0)
        {
            read.Write(buffer, 0, count);
            if (read.Length > MaxInputBytes)
            {
                throw CommandFailure.Usage($"standard input holds more than {MaxInputBytes} bytes");
            }
        }

        return read.ToArray();
    }

    private static MessageQueue Choose(IReadOnlyList<MessageQueue> queues, int id, string? broker)
    {
        MessageQueue[] chosen = [.. queues.Where(queue => queue.QueueId == id && (broker ?? queue.BrokerName) == queue.BrokerName)];
        return chosen switch
        {
            [var only] => only,
            [] => throw CommandFailure.NotFound(
                $"there is no queue {id}{(broker is null ? "" : $" at broker {broker}")}; there is {Describe(queues)}"),
            _ => throw CommandFailure.Usage(
                $"queue {id} is at {string.Join(", ", chosen.Select(queue => queue.BrokerName))}: --broker says which"),
        };
    }

    private static string Describe(IReadOnlyList<MessageQueue> queues) => string.Join(
        ", ",
        queues.GroupBy(queue => queue.BrokerName).Select(broker => $"{broker.Key}:0 to {broker.Max(queue => queue.QueueId)}"));
}
