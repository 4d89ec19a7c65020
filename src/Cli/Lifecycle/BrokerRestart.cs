using System.Diagnostics;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Cli.Lifecycle;

/// <summary>The restart of one broker: drained, restarted by somebody's command, ready and warm again.</summary>
/// <param name="command">A line for the shell. It finds the broker in GRAYMQ_BROKER, GRAYMQ_BROKER_ADDRESS and GRAYMQ_CLUSTER.</param>
/// <param name="parallel">How many brokers of the cluster may be away at a time.</param>
/// <param name="limit">How long leaving may take, and coming back.</param>
internal sealed class BrokerRestart(ToolRun run, string command, int parallel, TimeSpan limit)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <exception cref="CommandFailure">It did not work; the message says how far it came.</exception>
    public async Task RunAsync(BrokerNode node, CancellationToken cancel)
    {
        run.Note($"{node.Name}: leaves");
        await run.Cluster.Admin.DrainAsync(node.Address, new DrainBrokerHeader { ScaleIn = false, Parallel = parallel }, cancel)
            .ConfigureAwait(false);
        await UntilAsync(node, report => report.State == "drained", "has not left", cancel).ConfigureAwait(false);
        run.Note($"{node.Name}: is restarted");
        await RestartAsync(node, cancel).ConfigureAwait(false);
        await UntilAsync(node, report => report is { Ready: true } and ({ WriteShare: >= 1 } or { Warmup: "idle" }), "is not ready and warm again", cancel)
            .ConfigureAwait(false);
        run.Note($"{node.Name}: is back");
    }

    private async Task RestartAsync(BrokerNode node, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]);
        start.Environment["GRAYMQ_BROKER"] = node.Name;
        start.Environment["GRAYMQ_BROKER_ADDRESS"] = node.Address;
        start.Environment["GRAYMQ_CLUSTER"] = node.Cluster;
        using Process process = Process.Start(start) ?? throw new CommandFailure(ExitCode.Failure, "/bin/sh does not start");
        await process.WaitForExitAsync(cancel).ConfigureAwait(false);
        if (process.ExitCode != 0)
        {
            throw new CommandFailure(ExitCode.Failure, $"broker {node.Name}: the command ended with {process.ExitCode}");
        }
    }

    private async Task UntilAsync(BrokerNode node, Func<LifecycleReport, bool> condition, string otherwise, CancellationToken cancel)
    {
        long start = run.Context.Time.GetTimestamp();
        string last = "";
        while (true)
        {
            try
            {
                LifecycleReport report = await run.Cluster.Admin.GetLifecycleAsync(node.Address, cancel).ConfigureAwait(false);
                if (condition(report))
                {
                    return;
                }

                last = LifecyclePrinter.Summary(LifecycleView.Of(node.Address, report));
            }
            catch (Exception e) when (e is ConnectionClosedException or TimeoutException or BrokerException)
            {
                last = e.Message;
            }

            if (run.Context.Time.GetElapsedTime(start) > limit)
            {
                throw new CommandFailure(
                    ExitCode.Failure, $"broker {node.Name} {otherwise} after {limit.TotalSeconds:F0} s: {last}");
            }

            await Task.Delay(LookInterval, run.Context.Time, cancel).ConfigureAwait(false);
        }
    }
}
