using System.CommandLine;

namespace GrayMQ.Cli.Tools;

/// <summary>A broker as the name servers know it.</summary>
/// <param name="Id">0 is a master.</param>
internal sealed record BrokerNode(string Cluster, string Name, long Id, string Address);

/// <summary>The brokers that a command means: all masters, unless options narrow them.</summary>
internal sealed class BrokerScope
{
    public Option<string?> Cluster { get; } = new("--cluster") { Description = "Only brokers of this cluster", HelpName = "NAME" };

    public Option<string?> Broker { get; } = new("--broker") { Description = "Only the broker with this name", HelpName = "NAME" };

    public void AddTo(Command command)
    {
        command.Options.Add(Cluster);
        command.Options.Add(Broker);
    }

    /// <summary>The masters that are meant; at least one.</summary>
    /// <exception cref="CommandFailure">There is none.</exception>
    public Task<IReadOnlyList<BrokerNode>> MastersAsync(ToolRun run, CancellationToken cancel) =>
        run.Cluster.MastersAsync(run.Get(Cluster), run.Get(Broker), cancel);
}
