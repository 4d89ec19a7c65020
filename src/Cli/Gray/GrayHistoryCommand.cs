using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Cli.Gray;

/// <summary><c>graymq gray history</c></summary>
internal static class GrayHistoryCommand
{
    private const int DefaultMax = 20;

    public static Command Create(ToolHost host)
    {
        var subject = new Argument<string?>("NAME")
        {
            Description = "Only of this group or topic",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => null,
        };
        var max = new Option<int>("--max")
        {
            Description = $"Most changes (default {DefaultMax}, at most 1000)",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultMax,
        };
        var command = new Command("history", "Who changed what, from where and when, the newest first") { subject, max };
        host.OnRun(command, async (run, cancel) =>
        {
            IReadOnlyList<GrayHistoryEntry> entries;
            try
            {
                entries = await run.Cluster.Admin.GetGrayHistoryAsync(run.Get(subject), run.Get(max), cancel: cancel).ConfigureAwait(false);
            }
            catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
            {
                throw GrayCommands.NotOurs(run);
            }

            var result = new GrayHistoryListing(
                [.. entries.Select(entry => new GrayHistoryView(
                    entry.Version, entry.Epoch, entry.At, entry.Operator, entry.From, entry.Subject, entry.Summary, entry.Command))]);
            run.WriteGrid(result, ResultJson.Document.GrayHistoryListing, (listing, grid) => Fill(listing, grid, run.Context.Time));
            if (result.Entries.Count == 0)
            {
                run.Note("Nothing was changed yet.");
            }
        });
        return command;
    }

    private static void Fill(GrayHistoryListing listing, Grid grid, TimeProvider time)
    {
        grid.Number("VERSION").Column("WHEN").Column("WHO").Column("FROM").Column("WHAT");
        foreach (GrayHistoryView entry in listing.Entries)
        {
            grid.Row(Printable.Number(entry.Version), Printable.Time(entry.AtMs, time), entry.Operator, entry.From, entry.Summary);
        }
    }
}
