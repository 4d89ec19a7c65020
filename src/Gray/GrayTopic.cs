namespace GrayMQ.Gray;

/// <summary>How far switching a topic on has come. Names are in JSON.</summary>
public enum GrayTopicState
{
    /// <summary>Messages go where their senders want; everybody consumes everything.</summary>
    Off = 0,

    /// <summary>Switched on, and brokers are learning of it: nothing is different yet.</summary>
    Enabling = 1,

    /// <summary>Live: gray messages go to gray queues and normal ones to normal queues.</summary>
    On = 2,
}

/// <summary>A topic with gray messages in queues of their own.</summary>
public sealed record GrayTopic
{
    public required string Name { get; init; }

    /// <summary>n: queues on each broker.</summary>
    public required int Queues { get; init; }

    /// <summary>g: how many of them are gray.</summary>
    public int Size { get; init; } = GrayQueues.DefaultSize;

    public required GrayTopicState State { get; init; }

    /// <summary>The version of the gray state with which it came into this state.</summary>
    public long Since { get; init; }

    /// <summary>When, ms since 1970.</summary>
    public long ChangedMs { get; init; }

    /// <summary>Who changed it last, for people.</summary>
    public string? ChangedBy { get; init; }

    /// <summary>Which queues are gray; null while it is not live.</summary>
    public GrayQueues? LiveQueues() => State == GrayTopicState.On ? new GrayQueues(Queues, Size) : null;
}
