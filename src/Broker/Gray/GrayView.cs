using System.Text;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// What is gray at this broker: topics that are live, retry topics of groups with a release, and those groups. Immutable, but that groups
/// know who owns their queues now. Asking by the bytes of a request allocates nothing.
/// </summary>
internal sealed class GrayView
{
    private static readonly byte[] Mark = Encoding.UTF8.GetBytes(GrayMark.Property);
    private static readonly byte[] MarkValue = Encoding.UTF8.GetBytes(GrayMark.Value);
    private static readonly byte[] FailedBy = Encoding.UTF8.GetBytes(GrayMark.FailedBy);
    private static readonly byte[] FailedByGray = "gray"u8.ToArray();
    private static readonly byte[] FailedByNormal = "normal"u8.ToArray();

    private readonly Dictionary<string, GrayQueues> _topics;
    private readonly Dictionary<string, GrayQueues>.AlternateLookup<ReadOnlySpan<byte>> _topicsByUtf8;
    private readonly Dictionary<string, GrayGroup> _groups;
    private readonly Dictionary<string, GrayGroup>.AlternateLookup<ReadOnlySpan<byte>> _groupsByUtf8;
    private readonly Dictionary<string, GrayProducers> _producers;
    private readonly Dictionary<string, GrayProducers>.AlternateLookup<ReadOnlySpan<byte>> _producersByUtf8;

    /// <param name="epoch">By which messages choose their queues, see <see cref="Store.MessageStore.Cut"/>.</param>
    /// <param name="topics">Gray topics and retry topics, with the queues that they have here.</param>
    public GrayView(
        int epoch,
        GraySnapshot snapshot,
        IReadOnlyDictionary<string, GrayQueues> topics,
        IEnumerable<GrayGroup> groups,
        IEnumerable<GrayProducers> producers)
    {
        Epoch = epoch;
        Snapshot = snapshot;
        _topics = new Dictionary<string, GrayQueues>(topics, Utf8NameComparer.Instance);
        _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
        _groups = groups.ToDictionary(group => group.Name, Utf8NameComparer.Instance);
        _groupsByUtf8 = _groups.GetAlternateLookup<ReadOnlySpan<byte>>();
        _producers = producers.ToDictionary(group => group.Release.Group, Utf8NameComparer.Instance);
        _producersByUtf8 = _producers.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Name of the property that marks a message.</summary>
    public static ReadOnlySpan<byte> MarkName => Mark;

    public int Epoch { get; }

    public GraySnapshot Snapshot { get; }

    public IReadOnlyDictionary<string, GrayQueues> Topics => _topics;

    /// <summary>Groups of consumers whose release is not over.</summary>
    public IReadOnlyCollection<GrayGroup> Groups => _groups.Values;

    /// <summary>Groups of producers with an open release.</summary>
    public IReadOnlyCollection<GrayProducers> Producers => _producers.Values;

    public bool IsEmpty => _topics.Count == 0 && _groups.Count == 0 && _producers.Count == 0;

    public GrayGroup? FindGroup(ReadOnlySpan<byte> utf8Name) => _groupsByUtf8.TryGetValue(utf8Name, out GrayGroup? group) ? group : null;

    public GrayGroup? FindGroup(string name) => _groups.GetValueOrDefault(name);

    public GrayProducers? FindProducers(ReadOnlySpan<byte> utf8Name) =>
        _producersByUtf8.TryGetValue(utf8Name, out GrayProducers? producers) ? producers : null;

    /// <summary>The queues of a topic where they are of two sides; null where they are not.</summary>
    public GrayQueues? FindQueues(Topic topic) =>
        _topicsByUtf8.TryGetValue(topic.NameUtf8.Span, out GrayQueues queues) ? queues : null;

    /// <inheritdoc cref="FindQueues(Topic)"/>
    public GrayQueues? FindQueues(string topic) => _topics.TryGetValue(topic, out GrayQueues queues) ? queues : null;

    /// <summary>The queue in which a message of a topic is stored that asks for another.</summary>
    /// <param name="properties">Of the message.</param>
    public int Map(Topic topic, int queueId, ReadOnlySpan<byte> properties) =>
        _topicsByUtf8.TryGetValue(topic.NameUtf8.Span, out GrayQueues queues)
            ? queues.Map(queueId, SideOf(topic, properties))
            : queueId;

    /// <summary>The side of a message: in a retry topic that which failed it, else that which it is marked for.</summary>
    public static Side SideOf(Topic topic, ReadOnlySpan<byte> properties) => topic.IsRetry
        ? Has(properties, FailedBy, FailedByGray) ? Side.Gray : Side.Normal
        : IsMarked(properties) ? Side.Gray : Side.Normal;

    /// <summary>Whether a message is marked as gray.</summary>
    public static bool IsMarked(ReadOnlySpan<byte> properties) => Has(properties, Mark, MarkValue);

    /// <summary>Says on a message that comes back which side failed it.</summary>
    public static void SetFailedBy(scoped ref MessagePropertiesEditor properties, Side side) =>
        properties.Set(FailedBy, side == Side.Gray ? FailedByGray : FailedByNormal);

    private static bool Has(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(properties))
        {
            if (property.Name.SequenceEqual(name))
            {
                return property.Value.SequenceEqual(value);
            }
        }

        return false;
    }
}
