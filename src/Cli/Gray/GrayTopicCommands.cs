using System.CommandLine;
using GrayMQ.Cli.Tools;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray topic …</c></summary>
internal static class GrayTopicCommands
{
    public static Command Enable(ToolHost host)
    {
        Argument<string> topic = Topic();
        var size = new Option<int?>("--size")
        {
            Description = $"Gray queues at each broker, taken in turn from both ends (default {GrayQueues.DefaultSize})",
            HelpName = "N",
        };
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command("enable", "Gray messages of a topic go to queues of their own, once all its brokers know") { topic, size, wait };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run, new GrayCommand { Action = GrayAction.EnableTopic, Topic = run.Get(topic), Size = run.Get(size) }, run.Get(wait), cancel));
        return command;
    }

    public static Command Disable(ToolHost host)
    {
        Argument<string> topic = Topic();
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command("disable", "Messages of a topic go where their senders want, gray or not") { topic, wait };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run, new GrayCommand { Action = GrayAction.DisableTopic, Topic = run.Get(topic) }, run.Get(wait), cancel));
        return command;
    }

    private static Argument<string> Topic() => new("TOPIC") { Description = "Name of the topic" };

    private static Task ChangeAsync(ToolRun run, GrayCommand command, bool wait, CancellationToken cancel)
    {
        Cluster.RequireTopicName(command.Topic!);
        return GrayCommands.ChangeAsync(run, command, wait, cancel);
    }
}
