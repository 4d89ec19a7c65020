using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>Asks for the sole right to consume queues in order (RocketMQ request 41).</summary>
public sealed record LockBatchRequestBody
{
    public string ClientId { get; set => field = value ?? ""; } = "";

    public string ConsumerGroup { get; set => field = value ?? ""; } = "";

    public List<MessageQueue> MqSet { get; set => field = value ?? []; } = [];

    /// <summary>Do not ask the other members of the broker group.</summary>
    public bool OnlyThisBroker { get; set; }
}

/// <summary>The queues that were locked.</summary>
public sealed record LockBatchResponseBody
{
    /// <summary>JSON name: lockOKMQSet.</summary>
    [JsonPropertyName("lockOKMQSet")]
    public List<MessageQueue> LockedQueues { get; set => field = value ?? []; } = [];
}

/// <summary>Gives queues back (RocketMQ request 42).</summary>
public sealed record UnlockBatchRequestBody
{
    public string ClientId { get; set => field = value ?? ""; } = "";

    public string ConsumerGroup { get; set => field = value ?? ""; } = "";

    public List<MessageQueue> MqSet { get; set => field = value ?? []; } = [];

    public bool OnlyThisBroker { get; set; }
}
