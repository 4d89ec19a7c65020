using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Topics;

/// <summary>
/// A topic of this broker. The object stays the same for as long as the topic exists, its configuration is replaced as a whole:
/// who reads several members of it reads <see cref="Config"/> once.
/// </summary>
public sealed class Topic
{
    private TopicConfig _config;
    private volatile bool _isUsedInOrder;
    private long _lastSendTimestamp = long.MinValue;

    internal Topic(TopicConfig config, bool isSystem)
    {
        _config = config;
        MessageType = TopicAttributes.MessageTypeOf(config);
        Name = config.TopicName;
        NameUtf8 = Encoding.UTF8.GetBytes(Name);
        IsSystem = isSystem;
        IsRetry = Name.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);
        IsForbiddenToSend = SystemTopics.IsForbiddenToSend(Name);
    }

    public string Name { get; }

    public ReadOnlyMemory<byte> NameUtf8 { get; }

    /// <summary>Never changed once it is here.</summary>
    public TopicConfig Config
    {
        get => Volatile.Read(ref _config);
        internal set
        {
            Volatile.Write(ref _config, value);
            MessageType = TopicAttributes.MessageTypeOf(value);
        }
    }

    /// <summary>What the configuration says of the messages that it takes.</summary>
    public TopicMessageType MessageType { get; private set; }

    /// <summary>Whether the broker created it for itself.</summary>
    public bool IsSystem { get; }

    /// <summary>Whether it holds messages of one group that will be consumed again.</summary>
    public bool IsRetry { get; }

    /// <summary>Whether clients may not send to it, whatever its permission.</summary>
    public bool IsForbiddenToSend { get; }

    /// <summary>Whether a message with a sharding key was ever sent to it, or a queue of it locked: somebody counts on the order in its queues.</summary>
    public bool IsUsedInOrder
    {
        get => _isUsedInOrder;
        internal set => _isUsedInOrder = value;
    }

    /// <summary>
    /// When a client sent to it last, to a tenth of a second, as <see cref="TimeProvider.GetTimestamp"/> counts; long.MinValue when none did.
    /// </summary>
    internal long LastSendTimestamp
    {
        get => Volatile.Read(ref _lastSendTimestamp);
        set => Volatile.Write(ref _lastSendTimestamp, value);
    }

    public override string ToString() => Name;
}
