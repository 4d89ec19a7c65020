namespace GrayMQ.Protocol.Bodies;

/// <summary>Asks the broker which queues to consume (RocketMQ request 400).</summary>
public sealed record QueryAssignmentRequestBody
{
    public string ClientId { get; set => field = value ?? ""; } = "";

    public string ConsumerGroup { get; set => field = value ?? ""; } = "";

    public MessageModel MessageModel { get; set; } = MessageModel.Clustering;

    /// <summary>AVG, AVG_BY_CIRCLE, …</summary>
    public string? StrategyName { get; set; }

    public string Topic { get; set => field = value ?? ""; } = "";
}

public sealed record QueryAssignmentResponseBody
{
    /// <summary>Empty takes every queue from the consumer; null tells nothing, and it keeps what it has.</summary>
    public List<MessageQueueAssignment>? MessageQueueAssignments { get; set; }
}

/// <summary>A queue to consume; queue id -1 with <see cref="MessageRequestMode.Pop"/> means any queue of that broker.</summary>
public sealed record MessageQueueAssignment
{
    public Dictionary<string, string>? Attachments { get; set; }

    public MessageQueue MessageQueue { get; set; }

    public MessageRequestMode Mode { get; set; }
}

/// <summary>Sets whether a group pulls or pops a topic (RocketMQ request 401).</summary>
public sealed record SetMessageRequestModeRequestBody
{
    public string ConsumerGroup { get; set => field = value ?? ""; } = "";

    public MessageRequestMode Mode { get; set; }

    /// <summary>With how many others a consumer shares its queues when popping; 0 and less means that all share all.</summary>
    public int PopShareQueueNum { get; set; }

    public string Topic { get; set => field = value ?? ""; } = "";
}

/// <summary>All such settings of a broker: by topic, then by group.</summary>
public sealed record MessageRequestModeSerializeWrapper
{
    public Dictionary<string, Dictionary<string, SetMessageRequestModeRequestBody>> MessageRequestModeMap
    {
        get;
        set => field = value ?? [];
    } = [];
}
