using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Lifecycle;

/// <summary>The result of <c>drain</c> and <c>undrain</c>: where the broker stands.</summary>
/// <param name="State">starting, recovering, standby, serving, draining, drained or stopped.</param>
/// <param name="Drain">restart or scaleIn; null while it stays.</param>
/// <param name="WaitingFor">In words; null for nothing.</param>
/// <param name="Connections">Of the remoting protocol.</param>
/// <param name="GrpcCalls">Calls of gRPC clients that are under way: streams, and what waits for messages.</param>
/// <param name="StillSending">Addresses of producers that send though the routes tell them not to.</param>
/// <param name="CannotMove">Topics that no other broker takes messages of.</param>
/// <param name="Backlog">Messages not consumed yet, by group; an asterisk behind those of which no consumer is there.</param>
internal sealed record LifecycleView(
    string Broker,
    string Address,
    string State,
    bool Ready,
    bool Accepting,
    double WriteShare,
    string Warmup,
    string? Drain,
    string? AskedBy,
    string? WaitingFor,
    long DeadlineMs,
    double SendsPerSecond,
    long LastSendAgoMs,
    int Connections,
    int GrpcConnections,
    int GrpcCalls,
    int Senders,
    IReadOnlyList<string> StillSending,
    IReadOnlyList<string> CannotMove,
    long Uncommitted,
    long PopsInFlight,
    long Delayed,
    long Transactions,
    IReadOnlyDictionary<string, long> Backlog,
    IReadOnlyDictionary<string, long> DeadLetters)
{
    public static LifecycleView Of(string address, LifecycleReport report) => new(
        report.Broker,
        address,
        report.State,
        report.Ready,
        report.Accepting,
        report.WriteShare,
        report.Warmup,
        report.Drain,
        report.AskedBy,
        report.WaitingFor,
        report.DeadlineMs,
        report.SendsPerSecond,
        report.LastSendAgoMs,
        report.Connections,
        report.GrpcConnections,
        report.GrpcCalls,
        report.Senders,
        report.StillSending,
        report.CannotMove,
        report.Uncommitted,
        report.PopsInFlight,
        report.Delayed,
        report.Transactions,
        report.Backlog,
        report.DeadLetters);
}

/// <summary>The result of <c>rolling-restart</c>.</summary>
/// <param name="Brokers">All that were restarted, by this run or by one before it that did not come to the end.</param>
internal sealed record RollingRestart(string Cluster, IReadOnlyList<string> Brokers);
