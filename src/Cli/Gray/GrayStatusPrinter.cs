using System.Globalization;
using GrayMQ.Cli.Output;

namespace GrayMQ.Cli.Gray;

/// <summary>The gray state for people: one table for each kind of thing that there is.</summary>
internal static class GrayStatusPrinter
{
    public static void Print(GrayStatusView status, CommandContext context)
    {
        context.WriteLine(status.Version < 0
            ? "The name server knows no gray state" + (status.DatabaseProblem is null ? ": nothing was ever gray." : ".")
            : string.Create(CultureInfo.InvariantCulture, $"Gray state {status.Version} of epoch {status.Epoch}"));
        if (status.DatabaseProblem is { } problem)
        {
            context.WriteLine($"It cannot be changed now: {Printable.Line(problem)}");
        }

        foreach (string warning in status.Warnings)
        {
            context.WriteLine($"Warning: {Printable.Line(warning)}");
        }

        Write(context, status.Topics, grid => grid.Column("TOPIC").Column("STATE").Column("GRAY QUEUES").Column("SINCE").Column("BY"), topic =>
        [
            topic.Topic,
            topic.State,
            $"{string.Join(',', topic.GrayQueues)} of {Printable.Number(topic.Queues)}",
            Printable.Time(topic.ChangedMs, context.Time),
            topic.ChangedBy,
        ]);
        Write(
            context,
            status.Releases,
            grid => grid.Column("GROUP").Column("KIND").Number("RELEASE").Column("STATE").Column("HOW").Number("RULES").Number("STORED")
                .Column("SINCE").Column("BY"),
            release =>
            [
                release.Group,
                release.Kind,
                Printable.Number(release.Generation),
                release.State + (release.Forced > 0 ? " (forced)" : ""),
                release.How,
                Printable.Number(release.Rules),
                Printable.Number(release.StoredClients),
                Printable.Time(release.ChangedMs, context.Time),
                release.ChangedBy,
            ]);
        Write(
            context,
            status.Changes,
            grid => grid.Column("UNDER WAY").Column("WHAT").Column("BROKER").Column("DONE").Number("TO CONSUME").Column("WAITS FOR"),
            part =>
            [
                part.Subject,
                part.Action,
                part.Broker,
                part.Done ? "yes" : "no",
                part.Remaining < 0 ? "?" : Printable.Number(part.Remaining),
                part.Reason,
            ]);
        Write(
            context,
            status.Clients,
            grid => grid.Column("CLIENT").Column("GROUP").Column("SIDE").Column("BECAUSE OF").Column("ADDRESS"),
            client => [client.ClientId, client.Group, client.Side, client.Because, client.Address]);
        Write(
            context,
            status.Queues,
            grid => grid.Column("TOPIC").Column("BROKER").Number("QUEUE").Column("GROUP").Column("OWNER").Number("CONSUMED").Number("END")
                .Number("TO CONSUME").Column("HANDED OVER").Column("WAITS FOR"),
            queue =>
            [
                queue.Topic,
                queue.Broker,
                Printable.Number(queue.Queue),
                queue.Group,
                queue.Owner,
                queue.Consumed < 0 ? "" : Printable.Number(queue.Consumed),
                Printable.Number(queue.MaxOffset),
                Printable.Number(queue.Remaining),
                queue.Taker is null ? "" : $"to {queue.Taker} at {Printable.Number(queue.Boundary ?? 0)}",
                queue.Reason,
            ]);
        Write(
            context,
            status.GivenUp,
            grid => grid.Column("GIVEN UP").Column("BROKER").Number("RELEASE").Number("MESSAGES"),
            each => [each.Group, each.Broker, Printable.Number(each.Release), Printable.Number(each.Messages)]);
        Write(
            context,
            status.Brokers,
            grid => grid.Column("BROKER").Number("ACTS ON").Column("REPORTED").Column("PROBLEM"),
            broker =>
            [
                broker.Broker,
                broker.Version < 0 ? "?" : Printable.Number(broker.Version),
                Printable.Time(broker.ReportedMs, context.Time),
                broker.Problem,
            ]);
        context.Output.Flush();
    }

    private static void Write<T>(CommandContext context, IReadOnlyList<T> rows, Action<Grid> columns, Func<T, string?[]> cells)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var grid = new Grid();
        columns(grid);
        foreach (T row in rows)
        {
            grid.Row(cells(row));
        }

        context.WriteLine("");
        grid.WriteTo(context);
    }
}
