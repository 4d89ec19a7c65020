using System.Buffers.Text;
using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Gray;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// The properties of a message to be stored: what the producer sent, seen in one pass, and what the broker adds to it. Works on
/// bytes and allocates nothing.
/// </summary>
internal ref struct SendProperties
{
    private const int SeparatorBytes = 2;

    private readonly ReadOnlySpan<byte> _sent;
    private bool _rewrite;
    private bool _dropMark;

    private SendProperties(ReadOnlySpan<byte> sent)
    {
        _sent = sent;
        WaitForFlush = true;
    }

    /// <summary>The UNIQ_KEY that the producer gave; empty when it gave none.</summary>
    public ReadOnlySpan<byte> UniqueKey { get; private set; }

    /// <summary>False when the producer does not want to wait for the disk (WAIT is there and not true).</summary>
    public bool WaitForFlush { get; private set; }

    /// <summary>Whether the message is the first half of a transaction.</summary>
    public bool IsTransaction { get; private set; }

    /// <summary>Whether the message is to be delivered later.</summary>
    public bool IsDelayed { get; private set; }

    /// <summary>Whether the message is one of several whose order is to be kept.</summary>
    public bool HasShardingKey { get; private set; }

    /// <summary>Whether the message was sent elsewhere and is only brought here.</summary>
    public bool IsTransferred { get; private set; }

    /// <summary>Whether the message is marked as one for the gray side.</summary>
    public bool IsGray { get; private set; }

    /// <summary>Leaves out what the message says of its side: its sender is gray, and it gets the mark.</summary>
    public void DropMark()
    {
        _rewrite = true;
        _dropMark = true;
    }

    public static SendProperties Scan(ReadOnlySpan<byte> sent)
    {
        var scanned = new SendProperties(sent);
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(sent))
        {
            scanned.See(property.Name, property.Value);
        }

        return scanned;
    }

    /// <summary>The bytes that <see cref="Write"/> needs at most.</summary>
    public readonly int MaxBytes(ReadOnlySpan<byte> uniqueKey, ReadOnlySpan<byte> added) =>
        _sent.Length + SeparatorBytes + MessagePropertyUtf8.UniqueKey.Length + uniqueKey.Length + SeparatorBytes + added.Length;

    /// <summary>
    /// Writes the properties as they are stored: those that were sent, the unique key where there was none, and what the broker adds;
    /// without the reserved ones, and each with a separator behind it.
    /// </summary>
    /// <param name="destination">At least <see cref="MaxBytes"/>.</param>
    /// <param name="uniqueKey">Taken where none was sent.</param>
    /// <param name="added">From <see cref="Added"/>.</param>
    /// <returns>The bytes written.</returns>
    public readonly int Write(Span<byte> destination, ReadOnlySpan<byte> uniqueKey, ReadOnlySpan<byte> added)
    {
        int length = 0;
        if (_rewrite)
        {
            foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(_sent))
            {
                if (!IsReplaced(property.Name) && !(_dropMark && property.Name.SequenceEqual(GrayView.MarkName)))
                {
                    length += Append(destination[length..], property.Name, property.Value);
                }
            }
        }
        else
        {
            _sent.CopyTo(destination);
            length = _sent.Length;
            if (length > 0 && destination[length - 1] != MessagePropertiesCodec.PropertySeparator)
            {
                destination[length++] = MessagePropertiesCodec.PropertySeparator;
            }
        }

        if (UniqueKey.IsEmpty)
        {
            length += Append(destination[length..], MessagePropertyUtf8.UniqueKey, uniqueKey);
        }

        added.CopyTo(destination[length..]);
        return length + added.Length;
    }

    /// <summary>
    /// Writes what each message of a batch gets beside its own properties: those of the batch, but for its unique key, which would
    /// hide the message's own.
    /// </summary>
    /// <inheritdoc cref="Write"/>
    public readonly int WriteShared(Span<byte> destination, ReadOnlySpan<byte> added)
    {
        int length = 0;
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(_sent))
        {
            if (!IsReplaced(property.Name) && !property.Name.SequenceEqual(MessagePropertyUtf8.UniqueKey))
            {
                length += Append(destination[length..], property.Name, property.Value);
            }
        }

        added.CopyTo(destination[length..]);
        return length + added.Length;
    }

    /// <summary>What the broker adds to every message: where it is stored, and whether it is to be traced (RocketMQ: buildMsgContext).</summary>
    public static byte[] Added(SendOptions options) => MessagePropertiesCodec.ToBytes(
    [
        new(MessageProperty.MessageRegion, options.Region),
        new(MessageProperty.Cluster, options.ClusterName),
        new(MessageProperty.TraceSwitch, options.TraceOn ? "true" : "false"),
    ]);

    /// <summary>What the broker adds to the messages of gray producers: as <see cref="Added"/>, and the mark.</summary>
    public static byte[] AddedGray(SendOptions options) =>
        [.. Added(options), .. MessagePropertiesCodec.ToBytes([new(GrayMark.Property, GrayMark.Value)])];

    private static int Append(Span<byte> destination, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        name.CopyTo(destination);
        int at = name.Length;
        destination[at++] = MessagePropertiesCodec.NameValueSeparator;
        value.CopyTo(destination[at..]);
        at += value.Length;
        destination[at++] = MessagePropertiesCodec.PropertySeparator;
        return at;
    }

    private static bool IsReplaced(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(MessagePropertyUtf8.Cluster)
        || name.SequenceEqual(MessagePropertyUtf8.MessageRegion)
        || name.SequenceEqual(MessagePropertyUtf8.TraceSwitch)
        || name.SequenceEqual(MessagePropertyUtf8.PopCheckPoint);

    private void See(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        // Told apart by length first: most properties are nothing to the broker.
        switch (name.Length)
        {
            case 4 when name.SequenceEqual(MessagePropertyUtf8.WaitStoreMessageOk):
                WaitForFlush = Ascii.EqualsIgnoreCase(value, "true"u8);
                break;
            case 5 when name.SequenceEqual(MessagePropertyUtf8.DelayTimeLevel):
                IsDelayed |= Utf8Parser.TryParse(value, out int level, out _) && level > 0;
                break;
            case 6 when name.SequenceEqual(MessagePropertyUtf8.PopCheckPoint):
                _rewrite = true;
                break;
            case 7 when name.SequenceEqual(MessagePropertyUtf8.Cluster):
                _rewrite = true;
                break;
            case 8 when name.SequenceEqual(MessagePropertyUtf8.TraceSwitch):
            case 10 when name.SequenceEqual(MessagePropertyUtf8.MessageRegion):
                _rewrite = true;
                break;
            case 8 when name.SequenceEqual(GrayView.MarkName):
                IsGray = value.SequenceEqual("true"u8);
                break;
            case 8 when name.SequenceEqual(MessagePropertyUtf8.UniqueKey):
                UniqueKey = value;
                break;
            case 8 when name.SequenceEqual(MessagePropertyUtf8.TransactionPrepared):
                IsTransaction = Ascii.EqualsIgnoreCase(value, "true"u8);
                break;
            case 13 when name.SequenceEqual(MessagePropertyUtf8.ShardingKey):
                HasShardingKey = true;
                break;
            case 13 when name.SequenceEqual(MessagePropertyUtf8.TransferFlag):
                IsTransferred = true;
                break;
            case 14 when name.SequenceEqual(MessagePropertyUtf8.TimerDelayMs):
            case 15 when name.SequenceEqual(MessagePropertyUtf8.TimerDelaySeconds):
            case 16 when name.SequenceEqual(MessagePropertyUtf8.TimerDeliverMs):
                IsDelayed = true;
                break;
        }
    }
}
