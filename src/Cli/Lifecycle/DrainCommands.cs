using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Cli.Lifecycle;

/// <summary><c>graymq drain</c> and <c>graymq undrain</c></summary>
internal static class DrainCommands
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    public static Command Drain(ToolHost host)
    {
        Argument<string?> broker = Broker();
        var scaleIn = new Option<bool>("--scale-in")
        {
            Description = "It does not come back: wait until nothing of it is left to be consumed, and take it out of the routes",
        };
        var abandon = new Option<bool>("--abandon") { Description = "With --scale-in: give up what is left to be consumed" };
        var parallel = new Option<int>("--parallel")
        {
            Description = "How many brokers of the cluster may leave at a time, this one included (default 1)",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        var wait = new Option<bool>("--wait") { Description = "Come back when it may be stopped" };
        var watch = new Option<bool>("--watch") { Description = "As --wait, and show what it waits for" };
        Command command = host.Standalone("drain", "Have a broker leave without loss; it may be stopped when it is drained");
        command.Arguments.Add(broker);
        command.Options.Add(scaleIn);
        command.Options.Add(abandon);
        command.Options.Add(parallel);
        command.Options.Add(wait);
        command.Options.Add(watch);
        host.OnRun(command, async (run, cancel) =>
        {
            if (run.Get(abandon) && !run.Get(scaleIn))
            {
                throw CommandFailure.Usage("--abandon means something with --scale-in only");
            }

            BrokerNode node = await FindAsync(run, run.Get(broker), cancel).ConfigureAwait(false);
            var how = new DrainBrokerHeader { ScaleIn = run.Get(scaleIn), Abandon = run.Get(abandon), Parallel = run.Get(parallel) };
            LifecycleReport report = await run.Cluster.Admin.DrainAsync(node.Address, how, cancel).ConfigureAwait(false);
            if (run.Get(wait) || run.Get(watch))
            {
                report = await UntilDrainedAsync(run, node, report, run.Get(watch), cancel).ConfigureAwait(false);
            }

            Write(run, node, report);
        });
        return command;
    }

    public static Command Undrain(ToolHost host)
    {
        Argument<string?> broker = Broker();
        Command command = host.Standalone("undrain", "Have a broker that leaves stay");
        command.Arguments.Add(broker);
        host.OnRun(command, async (run, cancel) =>
        {
            BrokerNode node = await FindAsync(run, run.Get(broker), cancel).ConfigureAwait(false);
            Write(run, node, await run.Cluster.Admin.UndrainAsync(node.Address, cancel).ConfigureAwait(false));
        });
        return command;
    }

    private static Argument<string?> Broker() => new("BROKER")
    {
        Description = "Its name or its address; may be left out where there is only one",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = static _ => null,
    };

    // An address is asked as it is: a broker that has withdrawn is in nobody's routes.
    private static async Task<BrokerNode> FindAsync(ToolRun run, string? broker, CancellationToken cancel)
    {
        if (broker?.Contains(':', StringComparison.Ordinal) == true)
        {
            return new BrokerNode("", broker, BrokerData.MasterId, broker);
        }

        IReadOnlyList<BrokerNode> masters = await run.Cluster.MastersAsync(null, broker, cancel).ConfigureAwait(false);
        return masters is [var only]
            ? only
            : throw CommandFailure.Usage($"which broker? There is {string.Join(", ", masters.Select(master => master.Name))}");
    }

    private static async Task<LifecycleReport> UntilDrainedAsync(
        ToolRun run, BrokerNode node, LifecycleReport report, bool watch, CancellationToken cancel)
    {
        string shown = "";
        while (report.State != "drained")
        {
            if (report.State != "draining")
            {
                throw new CommandFailure(ExitCode.Failure, $"broker {node.Name} is {report.State}: somebody has asked it to stay");
            }

            string line = LifecyclePrinter.Summary(LifecycleView.Of(node.Address, report));
            if (watch && line != shown)
            {
                run.Note(line);
                shown = line;
            }

            await Task.Delay(LookInterval, run.Context.Time, cancel).ConfigureAwait(false);
            report = await run.Cluster.Admin.GetLifecycleAsync(node.Address, cancel).ConfigureAwait(false);
        }

        return report;
    }

    private static void Write(ToolRun run, BrokerNode node, LifecycleReport report) => run.Write(
        LifecycleView.Of(node.Address, report), ResultJson.Document.LifecycleView, view => LifecyclePrinter.Print(run, view));
}
