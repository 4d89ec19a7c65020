using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// The right to acknowledge a message that was received, or to change the time that it stays invisible; good until that time is over, or
/// changed. Its text may be stored and parsed again, by another process of the group as well; what it says is between client and broker.
/// </summary>
public sealed record ReceiptHandle
{
    // A topic's name, a broker's name and six numbers.
    private const int MaxLength = 1024;
    private const char Separator = ' ';

    private readonly byte[] _extraInfo;

    private ReceiptHandle(string topic, byte[] extraInfo, in PopHandle parts)
    {
        Topic = topic;
        _extraInfo = extraInfo;
        BrokerName = Encoding.UTF8.GetString(parts.BrokerName);
        Kind = parts.Kind;
        QueueId = parts.QueueId;
        QueueOffset = parts.QueueOffset;
        StartOffset = parts.StartOffset;
        PopTimeMs = parts.PopTimeMs;
        InvisibleTimeMs = parts.InvisibleTimeMs;
        ReviveQueueId = parts.ReviveQueueId;
    }

    /// <summary>The topic that was popped, also where the message is from its retry topic.</summary>
    internal string Topic { get; }

    internal string BrokerName { get; }

    /// <summary>Which form of retry topic the message is from, if any: see <see cref="PopHandle"/>.</summary>
    internal byte Kind { get; }

    internal int QueueId { get; }

    internal long QueueOffset { get; }

    internal long StartOffset { get; }

    internal long PopTimeMs { get; }

    internal long InvisibleTimeMs { get; }

    internal int ReviveQueueId { get; }

    /// <summary>The broker's part of it, as requests carry it.</summary>
    internal ReadOnlyMemory<byte> ExtraInfo => _extraInfo;

    /// <summary>Reads a handle from its text.</summary>
    /// <exception cref="FormatException">It is no receipt handle.</exception>
    public static ReceiptHandle Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int space = text.IndexOf(Separator, StringComparison.Ordinal);
        return space > 0 && text.Length <= MaxLength
            ? Create(text[..space], Encoding.UTF8.GetBytes(text[(space + 1)..]))
            : throw Malformed();
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => $"{Topic}{Separator}{Encoding.UTF8.GetString(_extraInfo)}";

    /// <summary>Handles are equal when their texts are.</summary>
    public bool Equals(ReceiptHandle? other) =>
        other is not null && Topic == other.Topic && _extraInfo.AsSpan().SequenceEqual(other._extraInfo);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Topic, BrokerName, QueueId, QueueOffset, PopTimeMs);

    /// <exception cref="FormatException">The topic's name is wrong, or a broker's part of a handle is not as it has to be.</exception>
    internal static ReceiptHandle Create(string topic, byte[] extraInfo) =>
        TopicNames.Problem(topic) is null
        && PopHandle.TryParse(extraInfo, out PopHandle parts)
        && parts.QueueOffset >= parts.StartOffset
            ? new ReceiptHandle(topic, extraInfo, parts)
            : throw Malformed();

    internal static ReceiptHandle Create(string topic, in PopHandle parts)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        return parts.MaxBytes <= text.Length
            ? new ReceiptHandle(topic, text[..parts.Write(text)].ToArray(), parts)
            : throw Malformed();
    }

    /// <summary>The topic that stores the message.</summary>
    internal string StoredIn(string group) => Kind switch
    {
        PopHandle.Retry => TopicNames.PopRetryOf(Topic, group),
        PopHandle.RetrySecondForm => TopicNames.PopRetryOf(Topic, group, secondForm: true),
        _ => Topic,
    };

    private static FormatException Malformed() =>
        new("this is no receipt handle: expected the text of one that came with a message");
}
