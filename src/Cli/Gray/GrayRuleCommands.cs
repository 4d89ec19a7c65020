using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray rule …</c></summary>
internal static class GrayRuleCommands
{
    public static Command Add(ToolHost host) => Change(
        host, "add", "Clients that match are gray while the group's release is open", GrayAction.AddRule);

    public static Command Remove(ToolHost host) => Change(host, "remove", "Take a rule away, as it was written", GrayAction.RemoveRule);

    public static Command List(ToolHost host)
    {
        Argument<string> group = GrayCommands.Group();
        Option<bool> producer = GrayCommands.Producer();
        var command = new Command("list", "List the rules of a group's last release") { group, producer };
        host.OnRun(command, async (run, cancel) =>
        {
            string name = run.Get(group);
            Cluster.RequireGroupName(name);
            GrayReleaseKind kind = run.Get(producer) ? GrayReleaseKind.Producer : GrayReleaseKind.Consumer;
            GraySnapshot? snapshot = await run.Cluster.Admin.FindGrayStateAsync(cancel).ConfigureAwait(false);
            GrayRelease release = snapshot?.Releases.LastOrDefault(release => release.Group == name && release.Kind == kind)
                ?? throw CommandFailure.NotFound($"group {name} has no release");
            var result = new GrayRuleListing(
                name,
                release.Generation,
                [.. release.Rules.Select(rule => new GrayRuleView(rule.Kind == GrayRuleKind.Address ? "address" : "clientId", rule.Pattern))]);
            run.WriteGrid(result, ResultJson.Document.GrayRuleListing, Fill);
            if (result.Rules.Count == 0)
            {
                run.Note($"Release {Printable.Number(release.Generation)} of group {name} has no rules.");
            }
        });
        return command;
    }

    private static Command Change(ToolHost host, string name, string description, GrayAction action)
    {
        Argument<string> group = GrayCommands.Group();
        var client = new Option<string?>("--client") { Description = "Client ids: * stands for any characters, ? for one", HelpName = "GLOB" };
        var address = new Option<string?>("--address") { Description = "An address, or a range such as 10.1.0.0/16", HelpName = "ADDR" };
        Option<bool> producer = GrayCommands.Producer();
        var command = new Command(name, description) { group, client, address, producer };
        host.OnRun(command, (run, cancel) =>
        {
            Cluster.RequireGroupName(run.Get(group));
            if (run.Get(client) is null == run.Get(address) is null)
            {
                throw CommandFailure.Usage("expected one of --client and --address");
            }

            return GrayCommands.ChangeAsync(
                run,
                new GrayCommand
                {
                    Action = action,
                    Group = run.Get(group),
                    Producer = run.Get(producer),
                    ClientGlob = run.Get(client),
                    Address = run.Get(address),
                },
                wait: false,
                cancel);
        });
        return command;
    }

    private static void Fill(GrayRuleListing result, Grid grid)
    {
        grid.Column("RULE").Column("PATTERN");
        foreach (GrayRuleView rule in result.Rules)
        {
            grid.Row(rule.Kind, rule.Pattern);
        }
    }
}
