namespace GrayMQ.Protocol.Bodies;

/// <summary>Which of a static topic's logical queues a broker leads now.</summary>
public sealed record TopicQueueMappingInfo
{
    /// <summary>The broker that hosts these queues.</summary>
    public string? Bname { get; set; }

    /// <summary>Physical queue id by logical queue id.</summary>
    public Dictionary<int, int> CurrIdMap { get; set => field = value ?? []; } = [];

    public bool Dirty { get; set; }

    /// <summary>Fences off what an older mapping says.</summary>
    public long Epoch { get; set; }

    public string? Scope { get; set; } = "__global__";

    public string? Topic { get; set; }

    public int TotalQueues { get; set; }
}

/// <summary>The whole history of a static topic's logical queues that a broker hosts.</summary>
public sealed record TopicQueueMappingDetail
{
    public string? Bname { get; set; }

    public Dictionary<int, int> CurrIdMap { get; set => field = value ?? []; } = [];

    public bool Dirty { get; set; }

    public long Epoch { get; set; }

    /// <summary>By logical queue id, oldest first.</summary>
    public Dictionary<int, List<LogicQueueMappingItem>> HostedQueues { get; set => field = value ?? []; } = [];

    public string? Scope { get; set; } = "__global__";

    public string? Topic { get; set; }

    public int TotalQueues { get; set; }
}

/// <summary>A stretch of a logical queue that lies in one physical queue; -1 where an end or a time is not known yet.</summary>
public sealed record LogicQueueMappingItem
{
    public string? Bname { get; set; }

    /// <summary>Physical offset where the stretch ends, exclusive.</summary>
    public long EndOffset { get; set; } = -1;

    public int Gen { get; set; }

    /// <summary>Logical offset where the stretch begins.</summary>
    public long LogicOffset { get; set; }

    public int QueueId { get; set; }

    /// <summary>Physical offset where the stretch begins.</summary>
    public long StartOffset { get; set; }

    public long TimeOfEnd { get; set; } = -1;

    public long TimeOfStart { get; set; } = -1;
}
