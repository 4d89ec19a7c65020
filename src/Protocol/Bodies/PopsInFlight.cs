namespace GrayMQ.Protocol.Bodies;

/// <summary>What a group has popped and not acknowledged, by queue (this project's request 30030).</summary>
public sealed record PopsInFlight
{
    /// <summary>The queues that it ever popped, retry topics among them.</summary>
    public List<PopsInFlightOfQueue> Queues { get; set => field = value ?? []; } = [];
}

/// <summary>What a group has in hand of one queue.</summary>
public sealed record PopsInFlightOfQueue
{
    /// <summary>The offset that the queue's next message will get.</summary>
    public long BrokerOffset { get; set; }

    /// <summary>Messages that were handed out and not acknowledged.</summary>
    public int InFlight { get; set; }

    /// <summary>Whether an orderly pop keeps the others out until its batch is acknowledged or its time is up.</summary>
    public bool Locked { get; set; }

    /// <summary>Where the next pop begins to read; -1 when that was not decided yet.</summary>
    public long NextOffset { get; set; }

    public int QueueId { get; set; }

    public string Topic { get; set => field = value ?? ""; } = "";
}
