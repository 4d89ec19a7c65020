using System.Globalization;
using GrayMQ.Cli.Output;
using GrayMQ.Cli.Tools;

namespace GrayMQ.Cli.Lifecycle;

/// <summary>Shows people where a broker stands.</summary>
internal static class LifecyclePrinter
{
    /// <summary>Everything, over some lines.</summary>
    public static void Print(ToolRun run, LifecycleView view)
    {
        var lines = new List<string> { Summary(view) };
        Add(view.StillSending, "still sending: ");
        Add(view.CannotMove, "no other broker takes: ");
        Add([.. view.Backlog.Select(group => $"{group.Key} {Printable.Number(group.Value)}")], "not consumed: ");
        Add([.. view.DeadLetters.Select(topic => $"{topic.Key} {Printable.Number(topic.Value)}")], "dead letters: ");
        foreach (string line in lines)
        {
            run.Context.WriteLine(Printable.Line(line));
        }

        void Add(IReadOnlyList<string> names, string what)
        {
            if (names.Count > 0)
            {
                lines.Add("  " + what + string.Join(", ", names));
            }
        }
    }

    /// <summary>One line, whose numbers are to be seen falling.</summary>
    public static string Summary(LifecycleView view)
    {
        string sends = view.SendsPerSecond.ToString("F1", CultureInfo.InvariantCulture);
        string last = view.LastSendAgoMs < 0 ? "none yet" : $"last {Printable.Number(view.LastSendAgoMs / 1000)} s ago";
        string waiting = view.WaitingFor is { } what ? $"; waits for {what}" : "";
        string share = view is { State: "serving", Warmup: "cold" or "idle" or "warming" }
            ? string.Create(CultureInfo.InvariantCulture, $" and {view.Warmup}, with {view.WriteShare:P0} of its share")
            : "";
        string grpc = view.GrpcConnections > 0 ? $"{view.GrpcConnections} of gRPC with {view.GrpcCalls} calls, " : "";
        return $"{view.Broker} is {view.State}{share}: {sends} sends/s ({last}), {view.Senders} senders, {view.Connections} connections, {grpc}"
            + $"{view.Uncommitted} not committed, {view.PopsInFlight} popped, {view.Delayed} delayed, {view.Transactions} transactions{waiting}";
    }
}
