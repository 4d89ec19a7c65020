using System.Buffers;
using System.Buffers.Text;
using System.Text;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// Writes stored messages as clients get them (RocketMQ: GrpcConverter): straight into protobuf's bytes, since there are many. One for
/// each thread; what it wrote last is there until it writes again.
/// </summary>
internal sealed class MessageWriter
{
    private const int MaxNameCharacters = 256;

    [ThreadStatic]
    private static MessageWriter? _ofThread;

    private readonly ArrayBufferWriter<byte> _head = new(1024);
    private readonly ArrayBufferWriter<byte> _system = new(1024);
    private readonly ArrayBufferWriter<byte> _properties = new(1024);
    private HostText _storeHost = new(default, "");
    private HostText _bornHost = new(default, "");

    public static MessageWriter OfThread => _ofThread ??= new MessageWriter();

    /// <summary>The message as an object.</summary>
    public static V2.Message ToMessage(in StoredMessage stored, LanguageCode language)
    {
        stored.TryGetProperty(MessagePropertyUtf8.PopCheckPoint, out ReadOnlySpan<byte> receipt);
        MessageWriter writer = OfThread;
        writer.Write(in stored, new Delivery(stored.Topic, language) { Receipt = receipt }, field: null, out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> body);
        return V2.Message.Parser.ParseFrom([.. head, .. body]);
    }

    /// <summary>Writes the message, as a field of the message around it unless that is null.</summary>
    /// <param name="head">All but the last bytes, which are <paramref name="body"/>.</param>
    public void Write(
        in StoredMessage stored, in Delivery delivery, int? field, out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> body)
    {
        _head.ResetWrittenCount();
        _system.ResetWrittenCount();
        _properties.ResetWrittenCount();
        body = BodyOf(in stored, out V2.Encoding encoding);
        WriteSystem(in stored, in delivery, body, encoding);

        int separator = NamespaceSeparatorOf(delivery.Topic);
        int topicLength = separator > 0
            ? MessageFields.SizeOf(V2.Resource.ResourceNamespaceFieldNumber, separator)
                + MessageFields.SizeOf(V2.Resource.NameFieldNumber, delivery.Topic.Length - separator - 1)
            : MessageFields.SizeOf(V2.Resource.NameFieldNumber, delivery.Topic.Length);
        if (field is { } number)
        {
            _head.WriteLength(
                number,
                MessageFields.SizeOf(V2.Message.TopicFieldNumber, topicLength)
                    + _properties.WrittenCount
                    + MessageFields.SizeOf(V2.Message.SystemPropertiesFieldNumber, _system.WrittenCount)
                    + MessageFields.SizeOf(V2.Message.BodyFieldNumber, body.Length));
        }

        _head.WriteLength(V2.Message.TopicFieldNumber, topicLength);
        if (separator > 0)
        {
            _head.WriteBytes(V2.Resource.ResourceNamespaceFieldNumber, delivery.Topic[..separator]);
        }

        _head.WriteBytes(V2.Resource.NameFieldNumber, delivery.Topic[(Math.Max(separator, -1) + 1)..]);
        _head.Write(_properties.WrittenSpan);
        _head.WriteBytes(V2.Message.SystemPropertiesFieldNumber, _system.WrittenSpan);
        _head.WriteLength(V2.Message.BodyFieldNumber, body.Length);
        head = _head.WrittenSpan;
    }

    // Names within a namespace are namespace%name; those that begin with the separator are RocketMQ's own.
    private static int NamespaceSeparatorOf(ReadOnlySpan<byte> topic) => topic.IndexOf((byte)'%') is > 0 and int at ? at : -1;

    private void WriteSystem(in StoredMessage stored, in Delivery delivery, ReadOnlySpan<byte> body, V2.Encoding encoding)
    {
        var found = default(Found);
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(stored.Properties))
        {
            WriteProperty(property.Name, property.Value, ref found);
        }

        if (!found.HasId)
        {
            _system.WriteBytes(
                V2.SystemProperties.MessageIdFieldNumber,
                Encoding.UTF8.GetBytes(MessageId.Format(stored.StoreHost, stored.PhysicalOffset)));
        }

        if (!found.HasBornHost)
        {
            _bornHost = _bornHost.Of(stored.BornHost, withPort: false);
            _system.WriteBytes(V2.SystemProperties.BornHostFieldNumber, _bornHost.Utf8);
        }

        WriteDigest(body, delivery.Language);
        V2.MessageType type = found.IsTransaction ? V2.MessageType.Transaction
            : found.IsDelayed ? V2.MessageType.Delay
            : found.HasGroup ? V2.MessageType.Fifo
            : V2.MessageType.Normal;
        _storeHost = _storeHost.Of(stored.StoreHost, withPort: true);
        _system.WriteNumber(V2.SystemProperties.BodyEncodingFieldNumber, (long)encoding);
        _system.WriteNumber(V2.SystemProperties.MessageTypeFieldNumber, (long)type);
        _system.WriteMilliseconds(V2.SystemProperties.BornTimestampFieldNumber, stored.BornTimestampMs);
        _system.WriteMilliseconds(V2.SystemProperties.StoreTimestampFieldNumber, stored.StoreTimestampMs);
        _system.WriteBytes(V2.SystemProperties.StoreHostFieldNumber, _storeHost.Utf8);
        _system.WriteNumber(V2.SystemProperties.QueueIdFieldNumber, stored.QueueId);
        _system.WriteNumber(V2.SystemProperties.QueueOffsetFieldNumber, stored.QueueOffset);
        _system.WriteNumber(
            V2.SystemProperties.DeliveryAttemptFieldNumber, (long)stored.ReconsumeTimes + 1 + delivery.DeliveriesBefore);
        if (!delivery.Receipt.IsEmpty)
        {
            _system.WriteText(V2.SystemProperties.ReceiptHandleFieldNumber, delivery.Receipt);
        }

        if (delivery.InvisibleMs is { } invisible)
        {
            _system.WriteMilliseconds(V2.SystemProperties.InvisibleDurationFieldNumber, invisible);
        }

        if (!found.DeadLetterTopic.IsEmpty && !found.DeadLetterId.IsEmpty)
        {
            // Anybody can send a message with these properties.
            ReadOnlySpan<byte> topic = MessageFields.ToText(found.DeadLetterTopic);
            ReadOnlySpan<byte> id = MessageFields.ToText(found.DeadLetterId);
            _system.WriteLength(
                V2.SystemProperties.DeadLetterQueueFieldNumber,
                MessageFields.SizeOf(V2.DeadLetterQueue.TopicFieldNumber, topic.Length)
                    + MessageFields.SizeOf(V2.DeadLetterQueue.MessageIdFieldNumber, id.Length));
            _system.WriteBytes(V2.DeadLetterQueue.TopicFieldNumber, topic);
            _system.WriteBytes(V2.DeadLetterQueue.MessageIdFieldNumber, id);
        }
    }

    private void WriteProperty(ReadOnlySpan<byte> utf8Name, ReadOnlySpan<byte> value, scoped ref Found found)
    {
        Span<char> buffer = stackalloc char[MaxNameCharacters];
        if (!Encoding.UTF8.TryGetChars(utf8Name, buffer, out int length))
        {
            // None of RocketMQ's own is so long.
            WriteUserProperty(utf8Name, value);
            return;
        }

        ReadOnlySpan<char> name = buffer[..length];
        switch (name)
        {
            case MessageProperty.Tags:
                _system.WriteText(V2.SystemProperties.TagFieldNumber, value);
                break;
            case MessageProperty.Keys:
                foreach (Range range in value.Split((byte)MessageProperty.KeySeparator))
                {
                    if (!value[range].IsEmpty)
                    {
                        _system.WriteText(V2.SystemProperties.KeysFieldNumber, value[range]);
                    }
                }

                break;
            case MessageProperty.UniqueKey:
                found.HasId |= !value.IsEmpty;
                _system.WriteText(V2.SystemProperties.MessageIdFieldNumber, value);
                break;
            case MessageProperty.TransactionPrepared:
                found.IsTransaction = value.SequenceEqual("true"u8);
                break;
            case MessageProperty.DelayTimeLevel or MessageProperty.TimerDelayMs or MessageProperty.TimerDelaySeconds:
                found.IsDelayed = true;
                break;
            case MessageProperty.TimerDeliverMs:
                found.IsDelayed = true;
                if (Utf8Parser.TryParse(value, out long deliverMs, out _))
                {
                    _system.WriteMilliseconds(V2.SystemProperties.DeliveryTimestampFieldNumber, deliverMs);
                }

                break;
            case MessageProperty.ShardingKey:
                found.HasGroup = true;
                _system.WriteText(V2.SystemProperties.MessageGroupFieldNumber, value);
                break;
            case MessageProperty.BornHost:
                found.HasBornHost = true;
                _system.WriteText(V2.SystemProperties.BornHostFieldNumber, value);
                break;
            case MessageProperty.TraceContext:
                _system.WriteText(V2.SystemProperties.TraceContextFieldNumber, value);
                break;
            case MessageProperty.DlqOriginTopic:
                found.DeadLetterTopic = value;
                break;
            case MessageProperty.DlqOriginMessageId:
                found.DeadLetterId = value;
                break;
            default:
                if (!SystemPropertyNames.Contains(name))
                {
                    WriteUserProperty(utf8Name, value);
                }

                break;
        }
    }

    // An entry of a map is a message of its key and its value.
    private void WriteUserProperty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        const int KeyField = 1;
        const int ValueField = 2;
        name = MessageFields.ToText(name);
        value = MessageFields.ToText(value);
        _properties.WriteLength(
            V2.Message.UserPropertiesFieldNumber,
            MessageFields.SizeOf(KeyField, name.Length) + MessageFields.SizeOf(ValueField, value.Length));
        _properties.WriteBytes(KeyField, name);
        _properties.WriteBytes(ValueField, value);
    }

    private void WriteDigest(ReadOnlySpan<byte> body, LanguageCode language)
    {
        Span<byte> checksum = stackalloc byte[BodyDigest.MaxCharacters];
        V2.DigestType type = BodyDigest.Write(body, language, checksum, out int length);
        const int BytesOfType = 2; // as a field: its tag and its value
        _system.WriteLength(
            V2.SystemProperties.BodyDigestFieldNumber, BytesOfType + MessageFields.SizeOf(V2.Digest.ChecksumFieldNumber, length));
        _system.WriteNumber(V2.Digest.TypeFieldNumber, (long)type);
        _system.WriteBytes(V2.Digest.ChecksumFieldNumber, checksum[..length]);
    }

    // Remoting producers pack bodies in ways that these clients do not know.
    private static ReadOnlySpan<byte> BodyOf(in StoredMessage stored, out V2.Encoding encoding)
    {
        encoding = V2.Encoding.Identity;
        if (!MessageSysFlag.Has(stored.SysFlag, MessageSysFlag.Compressed))
        {
            return stored.Body;
        }

        try
        {
            return BodyCompression.Decompress(stored.Body, stored.SysFlag);
        }
        catch (Exception e) when (e is InvalidDataException or DllNotFoundException)
        {
            encoding = V2.Encoding.Gzip;
            return stored.Body;
        }
    }

    /// <summary>What the properties told of the message.</summary>
    private ref struct Found
    {
        public bool HasId;
        public bool HasBornHost;
        public bool HasGroup;
        public bool IsTransaction;
        public bool IsDelayed;
        public ReadOnlySpan<byte> DeadLetterTopic;
        public ReadOnlySpan<byte> DeadLetterId;
    }

    /// <summary>An address as text, which is the same for one message after the other.</summary>
    private sealed class HostText(MessageHost host, string text)
    {
        private readonly MessageHost _host = host;

        public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(text);

        public HostText Of(MessageHost host, bool withPort) => Utf8.Length > 0 && host == _host
            ? this
            : new HostText(host, withPort ? host.ToString() : host.ToAddress().ToString());
    }
}
