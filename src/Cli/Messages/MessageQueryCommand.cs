using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Cli.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Messages;

/// <summary><c>graymq message query</c></summary>
internal static class MessageQueryCommand
{
    private const int DefaultMax = 32;

    public static Command Create(ToolHost host)
    {
        Argument<string> topic = TopicCommands.TopicArgument();
        var key = new Option<string>("--key") { Description = "The word that it was sent with", HelpName = "KEY", Required = true };
        var begin = new Option<string?>("--begin") { Description = "Stored at this time or later: " + Times.Expectation, HelpName = "TIME" };
        var end = new Option<string?>("--end") { Description = "Stored at this time or before", HelpName = "TIME" };
        var max = new Option<int>("--max")
        {
            Description = $"Most messages of each broker (default {DefaultMax})",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultMax,
        };
        var command = new Command("query", "Find messages by key");
        command.Arguments.Add(topic);
        foreach (Option option in new Option[] { key, begin, end, max })
        {
            command.Options.Add(option);
        }

        host.OnRun(command, async (run, cancel) =>
        {
            TopicRouteData route = await run.Cluster.RouteAsync(run.Get(topic), cancel).ConfigureAwait(false);
            var query = new QueryMessageHeader
            {
                Topic = run.Get(topic),
                Key = run.Get(key) ?? "",
                MaxMessages = run.Get(max),
                BeginTimestampMs = run.Get(begin) is { } from ? Times.Parse("--begin", from, run.Context.Time) : 0,
                EndTimestampMs = run.Get(end) is { } to ? Times.Parse("--end", to, run.Context.Time) : long.MaxValue,
            };
            var messages = new List<MessageView>();
            foreach (BrokerData broker in route.BrokerDatas)
            {
                if (broker.FindPreferredAddress() is { } address)
                {
                    IReadOnlyList<ReceivedMessage> found =
                        await run.Cluster.Admin.QueryMessagesAsync(address, query, cancel).ConfigureAwait(false);
                    messages.AddRange(found.Select(message => MessageView.Of(message, broker.BrokerName)));
                }
            }

            if (messages.Count == 0)
            {
                throw CommandFailure.NotFound($"topic {query.Topic} has no message with key {query.Key}");
            }

            run.WriteGrid(
                new MessageListing([.. messages.OrderBy(message => message.StoreTimestampMs)]),
                ResultJson.Document.MessageListing,
                (result, grid) => MessagePrinter.Fill(result.Messages, grid, run.Context.Time));
        });
        return command;
    }
}
