using System.CommandLine;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Cli.Transactions;

/// <summary><c>graymq transaction …</c></summary>
internal static class TransactionCommands
{
    private const int DefaultMax = 100;

    public static Command Create(ToolHost host) =>
        host.Group("transaction", "See which transactions have not ended", List(host));

    private static Command List(ToolHost host)
    {
        var topic = new Option<string?>("--topic") { Description = "Only of this topic", HelpName = "TOPIC" };
        var group = new Option<string?>("--group") { Description = "Only of this producer group", HelpName = "GROUP" };
        var max = new Option<int>("--max")
        {
            Description = $"Most transactions of each broker, the oldest first (default {DefaultMax}, at most 1000)",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultMax,
        };
        var scope = new BrokerScope();
        var command = new Command("list", "List transactions that are neither committed nor rolled back, the oldest first");
        foreach (Option option in new Option[] { topic, group, max })
        {
            command.Options.Add(option);
        }

        scope.AddTo(command);
        host.OnRun(command, async (run, cancel) =>
        {
            var asked = new ListTransactionsHeader { Topic = run.Get(topic), ProducerGroup = run.Get(group), MaxCount = run.Get(max) };
            IReadOnlyList<BrokerNode> masters = await scope.MastersAsync(run, cancel).ConfigureAwait(false);
            var pending = new List<PendingTransactionView>();
            long total = 0;
            foreach (BrokerNode master in masters)
            {
                TransactionList found = await ListAsync(run, master, asked, cancel).ConfigureAwait(false);
                total += found.Total;
                pending.AddRange(found.Transactions.Select(transaction => PendingTransactionView.Of(transaction, master.Name)));
            }

            var result = new TransactionListing(total, [.. pending.OrderBy(transaction => transaction.StoreTimestampMs)]);
            run.WriteGrid(result, ResultJson.Document.TransactionListing, (listing, grid) => Fill(listing, grid, run.Context.Time));
            run.Note(result.Transactions.Count == 0
                ? "There are no such transactions."
                : $"\nPending: {Printable.Number(total)}");
        });
        return command;
    }

    private static async Task<TransactionList> ListAsync(
        ToolRun run, BrokerNode master, ListTransactionsHeader asked, CancellationToken cancel)
    {
        try
        {
            return await run.Cluster.Admin.ListTransactionsAsync(master.Address, asked, cancel).ConfigureAwait(false);
        }
        catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
        {
            throw new CommandFailure(ExitCode.Failure, $"broker {master.Name} cannot list transactions: it is not GrayMQ's");
        }
    }

    private static void Fill(TransactionListing listing, Grid grid, TimeProvider time)
    {
        grid.Column("TOPIC").Column("GROUP").Column("BROKER").Column("TRANSACTION ID").Column("KEYS").Number("AGE").Number("CHECKS")
            .Column("NEXT CHECK");
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (PendingTransactionView transaction in listing.Transactions)
        {
            grid.Row(
                transaction.Topic,
                transaction.ProducerGroup,
                transaction.Broker,
                transaction.TransactionId,
                transaction.Keys,
                Age(now - transaction.StoreTimestampMs),
                Printable.Number(transaction.Checks),
                Printable.Time(transaction.NextCheckTimestampMs, time));
        }
    }

    private static string Age(long ms) => TimeSpan.FromMilliseconds(Math.Max(0, ms)) switch
    {
        { TotalMinutes: < 2 } age => $"{Printable.Number((long)age.TotalSeconds)}s",
        { TotalHours: < 2 } age => $"{Printable.Number((long)age.TotalMinutes)}m",
        { TotalDays: < 2 } age => $"{Printable.Number((long)age.TotalHours)}h",
        TimeSpan age => $"{Printable.Number((long)age.TotalDays)}d",
    };
}
