namespace GrayMQ.Protocol.Bodies;

/// <summary>All consumer offsets of a broker: by <c>topic@group</c>, then by queue id (RocketMQ request 43).</summary>
public sealed record ConsumerOffsetSerializeWrapper
{
    public DataVersion DataVersion { get; set; }

    /// <summary>The topics of which a group has offsets; follows from the offsets, so a reader may ignore it.</summary>
    public Dictionary<string, List<string>>? GroupTopicMap { get; set; }

    public Dictionary<string, Dictionary<int, long>> OffsetTable { get; set => field = value ?? []; } = [];
}

/// <summary>Tells consumers to go to these offsets (RocketMQ requests 220 and 222).</summary>
public sealed record ResetOffsetBody
{
    public Dictionary<MessageQueue, long> OffsetTable { get; set => field = value ?? []; } = [];
}

/// <summary>The same for C++ clients, whose JSON knows no object keys.</summary>
public sealed record ResetOffsetBodyForC
{
    public List<MessageQueueForC> OffsetTable { get; set => field = value ?? []; } = [];
}

public sealed record MessageQueueForC
{
    public string? BrokerName { get; set; }

    public long Offset { get; set; }

    public int QueueId { get; set; }

    public string? Topic { get; set; }
}

/// <summary>Offsets as consumers hold them (RocketMQ requests 221 and 223).</summary>
public sealed record GetConsumerStatusBody
{
    /// <summary>By client id.</summary>
    public Dictionary<string, Dictionary<MessageQueue, long>> ConsumerTable { get; set => field = value ?? []; } = [];

    public Dictionary<MessageQueue, long> MessageQueueTable { get; set => field = value ?? []; } = [];
}

/// <summary>By queue id (RocketMQ request 308).</summary>
public sealed record QueryCorrectionOffsetBody
{
    public Dictionary<int, long> CorrectionOffsets { get; set => field = value ?? []; } = [];
}

/// <summary>Times of a topic's queues as a group sees them (RocketMQ request 303).</summary>
public sealed record QueryConsumeTimeSpanBody
{
    public List<QueueTimeSpan> ConsumeTimeSpanSet { get; set => field = value ?? []; } = [];
}

/// <summary>Milliseconds since 1970. RocketMQ adds each time as text, which its readers recompute; left out here.</summary>
public sealed record QueueTimeSpan
{
    public long ConsumeTimeStamp { get; set; }

    /// <summary>Milliseconds by which consumption is late.</summary>
    public long DelayTime { get; set; }

    public long MaxTimeStamp { get; set; }

    public MessageQueue MessageQueue { get; set; }

    public long MinTimeStamp { get; set; }
}

/// <summary>Raw consume-queue entries (RocketMQ request 321).</summary>
public sealed record QueryConsumeQueueResponseBody
{
    public string? FilterData { get; set; }

    public long MaxQueueIndex { get; set; }

    public long MinQueueIndex { get; set; }

    public List<ConsumeQueueData> QueueData { get; set => field = value ?? []; } = [];

    public SubscriptionData? SubscriptionData { get; set; }
}

public sealed record ConsumeQueueData
{
    public string? BitMap { get; set; }

    /// <summary>Whether the asked group's filter lets the message pass.</summary>
    public bool Eval { get; set; }

    public string? ExtendDataJson { get; set; }

    public string? Msg { get; set; }

    /// <summary>Bytes from the start of the commit log.</summary>
    public long PhysicOffset { get; set; }

    /// <summary>Bytes.</summary>
    public int PhysicSize { get; set; }

    public long TagsCode { get; set; }
}
