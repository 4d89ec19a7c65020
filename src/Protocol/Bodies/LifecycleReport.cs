namespace GrayMQ.Protocol.Bodies;

/// <summary>Where a broker stands in its life, and what it waits for (this project's request SHOW_LIFECYCLE, and HTTP's /lifecycle).</summary>
public sealed record LifecycleReport
{
    /// <summary>Whether clients that come here are served.</summary>
    public bool Accepting { get; set; }

    /// <summary>Who asked it to leave; null while it stays.</summary>
    public string? AskedBy { get; set; }

    /// <summary>Messages that groups have not consumed yet, by group; with an asterisk behind the name: none of its consumers is there.</summary>
    public Dictionary<string, long> Backlog { get; set => field = value ?? []; } = [];

    public string Broker { get; set => field = value ?? ""; } = "";

    /// <summary>Topics that are sent to here and that no other broker takes messages of.</summary>
    public List<string> CannotMove { get; set => field = value ?? []; } = [];

    public string Cluster { get; set => field = value ?? ""; } = "";

    /// <summary>Connections of the remoting protocol.</summary>
    public int Connections { get; set; }

    /// <summary>Dead letters, by topic.</summary>
    public Dictionary<string, long> DeadLetters { get; set => field = value ?? []; } = [];

    /// <summary>When sends are refused whatever still comes, ms since 1970; 0 while it stays.</summary>
    public long DeadlineMs { get; set; }

    /// <summary>Messages that are to be delivered later.</summary>
    public long Delayed { get; set; }

    /// <summary>restart or scaleIn; null while it stays.</summary>
    public string? Drain { get; set; }

    /// <summary>Calls of gRPC clients that are under way: streams, and what waits for messages.</summary>
    public int GrpcCalls { get; set; }

    /// <summary>Connections of gRPC clients.</summary>
    public int GrpcConnections { get; set; }

    /// <summary>Time since the last send, ms; -1 when there was none.</summary>
    public long LastSendAgoMs { get; set; }

    /// <summary>Messages that were popped and not acknowledged.</summary>
    public long PopsInFlight { get; set; }

    /// <summary>Whether a load balancer before many brokers may choose it.</summary>
    public bool Ready { get; set; }

    /// <summary>Connections that have sent messages.</summary>
    public int Senders { get; set; }

    /// <summary>Messages sent per second, over the last ten seconds or so.</summary>
    public double SendsPerSecond { get; set; }

    /// <summary>Ms since 1970.</summary>
    public long SinceMs { get; set; }

    /// <summary>starting, recovering, standby, serving, draining, drained or stopped.</summary>
    public string State { get; set => field = value ?? ""; } = "";

    /// <summary>Addresses of those that still send though the routes have told them not to for long enough.</summary>
    public List<string> StillSending { get; set => field = value ?? []; } = [];

    /// <summary>Transactions that have not ended.</summary>
    public long Transactions { get; set; }

    /// <summary>Messages that consumers here were given and have not committed.</summary>
    public long Uncommitted { get; set; }

    /// <summary>What it is waiting for, in words; null when nothing.</summary>
    public string? WaitingFor { get; set; }

    /// <summary>off, cold (no send has come yet), idle (none has come for as long as warming up takes), warming or warm.</summary>
    public string Warmup { get; set => field = value ?? ""; } = "";

    /// <summary>Part of the write queues that the routes show, 0 to 1.</summary>
    public double WriteShare { get; set; }
}
