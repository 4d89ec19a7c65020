namespace GrayMQ.Client.Producers;

/// <summary>A message to send.</summary>
public sealed class Message
{
    private Dictionary<string, string>? _properties;

    /// <param name="topic">1 to 127 letters, digits and <c>% - _ |</c>.</param>
    /// <param name="body">At least one byte. Not copied: it must stay as it is until the message has been sent.</param>
    public Message(string topic, ReadOnlyMemory<byte> body)
    {
        ArgumentNullException.ThrowIfNull(topic);
        Topic = topic;
        Body = body;
    }

    /// <summary>Where the message goes.</summary>
    public string Topic { get; }

    /// <summary>What it says; the meaning of the bytes is the application's.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>What consumers filter by: one word per message.</summary>
    public string? Tag { get; init; }

    /// <summary>Words by which the message can be found again, for instance an order's number; without spaces.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>A number for the application's own use.</summary>
    public int Flag { get; init; }

    /// <summary>
    /// Whether a broker that writes to disk, or to replicas, before it acknowledges does so for this message
    /// (RocketMQ: waitStoreMsgOK).
    /// </summary>
    public bool WaitForStore { get; init; } = true;

    /// <summary>
    /// Messages with one sharding key are sent to one queue, so that they keep their order as long as the topic keeps its queues; null
    /// lets queues take turns. RocketMQ's proxy wants one for topics that are declared FIFO.
    /// </summary>
    public string? ShardingKey { get; init; }

    /// <summary>
    /// Delivers the message this much later than its broker gets it, to the millisecond, up to what the broker allows: three days unless
    /// set. At most one of <see cref="Delay"/>, <see cref="DeliverAt"/> and <see cref="DelayLevel"/> may be set.
    /// </summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Delivers the message not before this time, to the millisecond, by the broker's clock.</summary>
    /// <remarks>A time that has passed delivers it at once; one too far ahead is refused by the broker.</remarks>
    public DateTimeOffset? DeliverAt { get; init; }

    /// <summary>
    /// Delivers the message after one of the broker's delay levels: unless set otherwise, 1 to 18 stand for 1 s, 5 s, 10 s, 30 s, 1 to 10
    /// minutes, 20 and 30 minutes, 1 and 2 hours. One beyond the last counts as the last.
    /// </summary>
    public int? DelayLevel { get; init; }

    /// <summary>
    /// The id under which consumers see the message (UNIQ_KEY); null lets each call to send make one. Set it to give a message
    /// that is sent again the id that it had.
    /// </summary>
    public string? MessageId { get; init; }

    /// <summary>The application's own properties. Names and values are text; RocketMQ's own names are refused.</summary>
    public IDictionary<string, string> Properties => _properties ??= new Dictionary<string, string>(StringComparer.Ordinal);

    internal Dictionary<string, string>? PropertiesOrNull => _properties;

    internal bool IsDelayed => Delay is not null || DeliverAt is not null || DelayLevel is not null;
}
