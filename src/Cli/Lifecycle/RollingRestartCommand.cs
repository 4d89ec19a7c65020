using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;

namespace GrayMQ.Cli.Lifecycle;

/// <summary><c>graymq rolling-restart</c></summary>
internal sealed class RollingRestartCommand
{
    private const int DefaultTimeoutSeconds = 900;

    private readonly Option<string> _cluster =
        new("--cluster") { Description = "The cluster whose brokers are restarted", HelpName = "NAME", Required = true };

    private readonly Option<string> _command = new("--command")
    {
        Description = "Restarts one broker: a line for the shell, which finds it in GRAYMQ_BROKER and GRAYMQ_BROKER_ADDRESS",
        HelpName = "LINE",
        Required = true,
    };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "How many are restarted at a time, after the first one (default 1)",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<bool> _confirm = new("--confirm") { Description = "Ask before each batch" };

    private readonly Option<string?> _state = new("--state")
    {
        Description = "File that keeps what is done, for the next attempt (default ./rolling-restart-CLUSTER.json)",
        HelpName = "FILE",
    };

    private readonly Option<int> _timeout = new("--timeout")
    {
        Description = $"Seconds that a broker may take to leave, and to come back (default {DefaultTimeoutSeconds})",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => DefaultTimeoutSeconds,
    };

    private RollingRestartCommand()
    {
    }

    public static Command Create(ToolHost host)
    {
        var made = new RollingRestartCommand();
        Command command = host.Standalone(
            "rolling-restart",
            "Restart all brokers of a cluster without loss: one first, then batches, each when the last is ready and warm");
        command.Options.Add(made._cluster);
        command.Options.Add(made._command);
        command.Options.Add(made._batch);
        command.Options.Add(made._confirm);
        command.Options.Add(made._state);
        command.Options.Add(made._timeout);
        host.OnRun(command, made.RunAsync);
        return command;
    }

    private async Task RunAsync(ToolRun run, CancellationToken cancel)
    {
        int batch = run.Get(_batch);
        int seconds = run.Get(_timeout);
        if (batch < 1 || seconds < 1)
        {
            throw CommandFailure.Usage("--batch and --timeout are at least 1");
        }

        if (run.Get(_confirm) && !run.Context.IsInteractive)
        {
            throw CommandFailure.Usage("--confirm: there is nobody to ask");
        }

        string cluster = run.Get(_cluster)!;
        string command = run.Get(_command)!;
        RestartProgress progress = RestartProgress.Open(run.Get(_state) ?? $"rolling-restart-{cluster}.json", cluster, command);
        IReadOnlyList<BrokerNode> all = await run.Cluster.MastersAsync(cluster, null, cancel).ConfigureAwait(false);
        BrokerNode[] left = [.. all.Where(node => !progress.Done.Contains(node.Name))];
        if (progress.Done.Count > 0)
        {
            run.Note($"goes on behind {string.Join(", ", progress.Done)}");
        }

        var restart = new BrokerRestart(run, command, batch, TimeSpan.FromSeconds(seconds));
        foreach (BrokerNode[] next in Batches(left, batch, isFirst: progress.Done.Count == 0))
        {
            string names = string.Join(", ", next.Select(node => node.Name));
            if (run.Get(_confirm) && !await Confirmation.AskAsync(run.Context, $"Restart {names}?", cancel).ConfigureAwait(false))
            {
                throw new CommandFailure(ExitCode.Failure, $"stopped before {names}; the same command goes on there");
            }

            await Task.WhenAll(next.Select(node => RestartAsync(restart, progress, node, cancel))).ConfigureAwait(false);
        }

        progress.Finish();
        run.Write(
            new RollingRestart(cluster, [.. all.Select(node => node.Name)]),
            ResultJson.Document.RollingRestart,
            result => run.Context.WriteLine($"All {result.Brokers.Count} brokers of cluster {result.Cluster} have been restarted."));
    }

    private static async Task RestartAsync(
        BrokerRestart restart, RestartProgress progress, BrokerNode node, CancellationToken cancel)
    {
        await restart.RunAsync(node, cancel).ConfigureAwait(false);
        progress.Add(node.Name);
    }

    // The first one alone: what is wrong with the new version shows there.
    private static IEnumerable<BrokerNode[]> Batches(BrokerNode[] left, int size, bool isFirst)
    {
        if (!isFirst)
        {
            return left.Chunk(size);
        }

        return left.Length == 0 ? [] : left.Skip(1).Chunk(size).Prepend([left[0]]);
    }
}
