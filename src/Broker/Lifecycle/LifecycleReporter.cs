using GrayMQ.Broker.Statistics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Says where the broker stands in its life: the same by HTTP, by the remoting protocol, and to people.</summary>
internal sealed class LifecycleReporter(
    LifecycleOptions options,
    BrokerLifecycle lifecycle,
    Arrival arrival,
    Warmup warmup,
    Departure departure,
    SendActivity sends,
    WorkLeft work,
    BrokerStatistics statistics,
    MessageStore messages,
    Func<OpenConnections> connections,
    TimeProvider time)
{
    private const int MostNamed = 20;

    /// <summary>Whether a load balancer before many brokers may choose this one: it serves, and can store messages.</summary>
    public bool IsReady => NotReadyBecause is null;

    /// <summary>Why it is not ready; null when it is.</summary>
    public string? NotReadyBecause =>
        !lifecycle.IsReady ? $"the broker is {lifecycle.State.ToName()}"
        : !messages.IsWritable ? "the store takes no messages"
        : warmup.HoldsReadinessBack ? $"the broker waits for {warmup.WaitingFor}"
        : null;

    public LifecycleReport Report()
    {
        DrainRequest? request = departure.Request;
        long lastSend = sends.LastSendTimestamp;
        OpenConnections open = connections();
        return new LifecycleReport
        {
            Broker = options.BrokerName,
            Cluster = options.ClusterName,
            State = lifecycle.State.ToName(),
            SinceMs = lifecycle.SinceMs,
            Ready = IsReady,
            Accepting = lifecycle.IsAccepting,
            WriteShare = lifecycle.State == LifecycleState.Serving ? warmup.Share : 0,
            Warmup = warmup.State.ToName(),
            Drain = request?.Mode,
            AskedBy = request?.AskedBy,
            WaitingFor = lifecycle.State switch
            {
                LifecycleState.Standby => arrival.WaitingFor,
                LifecycleState.Serving => warmup.WaitingFor,
                _ => departure.WaitingFor,
            },
            DeadlineMs = request is null
                ? 0
                : time.GetUtcNow().ToUnixTimeMilliseconds() + (long)departure.TimeLeft.TotalMilliseconds,
            SendsPerSecond = statistics.RecentPuts.Minute.MessagesPerSecond,
            LastSendAgoMs = lastSend == long.MinValue ? -1 : (long)time.GetElapsedTime(lastSend).TotalMilliseconds,
            Connections = open.Remoting,
            GrpcConnections = open.Grpc,
            GrpcCalls = open.GrpcCalls,
            Senders = sends.SenderCount,
            StillSending = [.. sends.SendersSince(departure.OughtToKnowSince, MostNamed)],
            CannotMove = request is null ? [] : [.. departure.TopicsThatCannotMove.Take(MostNamed)],
            Uncommitted = work.CountUncommitted(),
            PopsInFlight = work.PopsInFlight,
            Delayed = work.Delayed,
            Transactions = work.Transactions,
            Backlog = work.FindBacklog(),
            DeadLetters = work.FindDeadLetters(),
        };
    }
}
