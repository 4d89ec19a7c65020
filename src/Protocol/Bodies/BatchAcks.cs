using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>Acknowledges messages of several pops (RocketMQ request 200151).</summary>
public sealed record BatchAckMessageRequestBody
{
    public List<BatchAck> Acks { get; set => field = value ?? []; } = [];

    public string BrokerName { get; set => field = value ?? ""; } = "";
}

/// <summary>Messages of one queue that came with one pop. JSON names are short, as RocketMQ writes them.</summary>
public sealed record BatchAck
{
    /// <summary>Bit <c>i</c>, the lowest of the first byte being bit 0, acknowledges offset <see cref="StartOffset"/> + <c>i</c>.</summary>
    [JsonPropertyName("b")]
    public byte[] Bits { get; set => field = value ?? []; } = [];

    [JsonPropertyName("c")]
    public string ConsumerGroup { get; set => field = value ?? ""; } = "";

    [JsonPropertyName("it")]
    public long InvisibleTimeMs { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    [JsonPropertyName("pt")]
    public long PopTimeMs { get; set; }

    [JsonPropertyName("q")]
    public int QueueId { get; set; }

    /// <summary>0, or 1 or 2 where the messages are from the retry topic in its first or second form.</summary>
    [JsonPropertyName("r")]
    public string Retry { get; set => field = value ?? ""; } = "";

    [JsonPropertyName("rq")]
    public int ReviveQueueId { get; set; }

    /// <summary>Where the pop began in the queue.</summary>
    [JsonPropertyName("so")]
    public long StartOffset { get; set; }

    /// <summary>The topic that was popped, also where the messages are from its retry topic.</summary>
    [JsonPropertyName("t")]
    public string Topic { get; set => field = value ?? ""; } = "";
}
