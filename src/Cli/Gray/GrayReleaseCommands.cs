using System.CommandLine;
using GrayMQ.Cli.Tools;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray open | client set | promote | withdraw | cancel | force</c></summary>
internal static class GrayReleaseCommands
{
    public static Command Open(ToolHost host)
    {
        Argument<string> group = GrayCommands.Group();
        Option<bool> producer = GrayCommands.Producer();
        var hold = new Option<bool>("--hold")
        {
            Description = "Gray queues of topics that the gray side does not subscribe to wait; else the normal side gets them",
        };
        var absence = new Option<string?>("--absence")
        {
            Description = $"How long queues of gray clients that died wait for others: seconds, or \"forever\" (default {GrayRelease.DefaultAbsenceMs / 1000})",
            HelpName = "S",
        };
        var command = new Command("open", "Open a release: from now on a group can have a gray side") { group, hold, absence, producer };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run,
            new GrayCommand
            {
                Action = GrayAction.Open,
                Group = run.Get(group),
                Producer = run.Get(producer),
                Hold = run.Get(hold),
                AbsenceMs = AbsenceOf(run.Get(absence)),
            },
            wait: false,
            cancel));
        return command;
    }

    public static Command SetClient(ToolHost host)
    {
        Argument<string> group = GrayCommands.Group();
        var client = new Argument<string>("CLIENT") { Description = "Id of a client that is connected" };
        var gray = new Option<bool?>("--gray") { Description = "Whether it is gray", HelpName = "true|false", Required = true };
        Option<bool> producer = GrayCommands.Producer();
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command(
            "set", "Store a client's side: the first gray one opens a release, the last gray one set back is drained and closes it")
        {
            group, client, gray, producer, wait,
        };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run,
            new GrayCommand
            {
                Action = GrayAction.SetClient,
                Group = run.Get(group),
                Producer = run.Get(producer),
                Client = run.Get(client),
                Gray = run.Get(gray),
            },
            run.Get(wait),
            cancel));
        return command;
    }

    public static Command Promote(ToolHost host)
    {
        Argument<string> group = GrayCommands.Group();
        var replace = new Option<bool>("--replace")
        {
            Description = "The normal side drains its queues and is retired: needed where the sides do not subscribe alike",
        };
        Option<bool> producer = GrayCommands.Producer();
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command("promote", "The gray side becomes the only one, once its queues are drained") { group, replace, producer, wait };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run,
            new GrayCommand
            {
                Action = GrayAction.Promote,
                Group = run.Get(group),
                Producer = run.Get(producer),
                Replace = run.Get(replace),
            },
            run.Get(wait),
            cancel));
        return command;
    }

    public static Command Withdraw(ToolHost host)
    {
        Argument<string> group = GrayCommands.Group();
        var leftover = new Option<string?>("--leftover")
        {
            Description = "What becomes of gray messages that the gray side leaves: the normal side gets them, or nobody",
            HelpName = "normal|skip",
            Required = true,
        };
        leftover.AcceptOnlyFromAmong("normal", "skip");
        Option<bool> producer = GrayCommands.Producer();
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command("withdraw", "The gray side is retired") { group, leftover, producer, wait };
        host.OnRun(command, (run, cancel) => ChangeAsync(
            run,
            new GrayCommand
            {
                Action = GrayAction.Withdraw,
                Group = run.Get(group),
                Producer = run.Get(producer),
                SkipLeftover = run.Get(leftover) == "skip",
            },
            run.Get(wait),
            cancel));
        return command;
    }

    public static Command Cancel(ToolHost host) => OfNamed(
        host, "cancel", "Take back a promotion, a withdrawal, or a topic's switching on, that has not ended", GrayAction.Cancel);

    public static Command Force(ToolHost host) => OfNamed(
        host, "force", "End what is under way without waiting for what does not come; what is given up is counted", GrayAction.Force);

    private static Command OfNamed(ToolHost host, string name, string description, GrayAction action)
    {
        var subject = new Argument<string>("NAME") { Description = "Name of the consumer group, or with --topic of the topic" };
        var topic = new Option<bool>("--topic") { Description = "NAME is a topic" };
        Option<bool> producer = GrayCommands.Producer();
        Option<bool> wait = GrayCommands.Wait();
        var command = new Command(name, description) { subject, topic, producer, wait };
        host.OnRun(command, (run, cancel) =>
        {
            if (!run.Get(topic))
            {
                return ChangeAsync(
                    run, new GrayCommand { Action = action, Group = run.Get(subject), Producer = run.Get(producer) }, run.Get(wait), cancel);
            }

            Cluster.RequireTopicName(run.Get(subject));
            return GrayCommands.ChangeAsync(run, new GrayCommand { Action = action, Topic = run.Get(subject) }, run.Get(wait), cancel);
        });
        return command;
    }

    private static Task ChangeAsync(ToolRun run, GrayCommand command, bool wait, CancellationToken cancel)
    {
        Cluster.RequireGroupName(command.Group!);
        return GrayCommands.ChangeAsync(run, command, wait, cancel);
    }

    private static long? AbsenceOf(string? text) => text switch
    {
        null => null,
        "forever" => GrayRelease.ForEver,
        _ when int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int seconds) =>
            seconds * 1000L,
        _ => throw CommandFailure.Usage($"--absence: {text}: expected seconds, or forever"),
    };
}
