using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message view</c></summary>
internal static class MessageViewCommand
{
    public static Command Create(ToolHost host)
    {
        var id = new Argument<string>("ID") { Description = "Its offset id, or with --topic also the id that its producer got" };
        var topic = new Option<string?>("--topic") { Description = "The topic of the message", HelpName = "TOPIC" };
        var command = new Command("view", "Show one message with everything that is known of it");
        command.Arguments.Add(id);
        command.Options.Add(topic);
        host.OnRun(command, async (run, cancel) =>
        {
            MessageView message = run.Get(topic) is { } name
                ? await FindByUniqueKeyAsync(run, name, run.Get(id), cancel).ConfigureAwait(false)
                    ?? await FindByOffsetAsync(run, run.Get(id), cancel).ConfigureAwait(false)
                    ?? throw CommandFailure.NotFound($"topic {name} has no message {run.Get(id)}")
                : await FindByOffsetAsync(run, run.Get(id), cancel).ConfigureAwait(false)
                    ?? throw CommandFailure.NotFound(
                        $"there is no message at {run.Get(id)}; if that is the id that a producer got, --topic finds it");
            run.Write(
                message, ResultJson.Document.MessageView, result => MessagePrinter.Write(result, run.Context.Output, run.Context.Time));
        });
        return command;
    }

    private static async Task<MessageView?> FindByUniqueKeyAsync(ToolRun run, string topic, string key, CancellationToken cancel)
    {
        TopicRouteData route = await run.Cluster.RouteAsync(topic, cancel).ConfigureAwait(false);
        foreach (BrokerData broker in route.BrokerDatas)
        {
            if (broker.FindPreferredAddress() is not { } address)
            {
                continue;
            }

            IReadOnlyList<ReceivedMessage> found = await run.Cluster.Admin.QueryMessagesAsync(
                address,
                new QueryMessageHeader
                {
                    Topic = topic,
                    Key = key,
                    MaxMessages = 1,
                    BeginTimestampMs = 0,
                    EndTimestampMs = long.MaxValue,
                    IsUniqueKey = true,
                },
                cancel).ConfigureAwait(false);
            if (found is [var message, ..])
            {
                return MessageView.Of(message, broker.BrokerName);
            }
        }

        return null;
    }

    // The id names the broker by its address. An id of another kind looks the same, and names anything: only a broker is asked.
    private static async Task<MessageView?> FindByOffsetAsync(ToolRun run, string id, CancellationToken cancel)
    {
        if (!MessageId.TryParse(id, out MessageHost host, out long physicalOffset))
        {
            throw CommandFailure.Usage($"{id} is no message id: expected {MessageId.V4Digits} or {MessageId.V6Digits} hex digits");
        }

        string address = host.ToString();
        BrokerNode? broker = (await run.Cluster.BrokersAsync(cancel).ConfigureAwait(false))
            .FirstOrDefault(node => node.Address == address);
        return broker is not null
            && await run.Cluster.Admin.FindMessageAsync(broker.Address, physicalOffset, cancel).ConfigureAwait(false) is { } message
            ? MessageView.Of(message, broker.Name)
            : null;
    }
}
