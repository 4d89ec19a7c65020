using System.Buffers.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// The handle by which a popped message is acked (RocketMQ: ExtraInfoUtil; a message's property POP_CK). UTF-8, parts apart by a
/// space:
/// <code>startOffset popTime invisibleTime reviveQueueId kind brokerName queueId [queueOffset]</code>
/// <c>kind</c> is 0 for a message of the topic itself, 1 or 2 for one of its retry topics' first and second form.
/// </summary>
public readonly ref struct PopHandle
{
    /// <summary>The revive queue id of messages that were handed out in order (RocketMQ: POP_ORDER_REVIVE_QUEUE).</summary>
    public const int OrderedReviveQueueId = 999;

    /// <summary>A message of the topic itself.</summary>
    public const byte Normal = (byte)'0';

    /// <summary>A message of <c>%RETRY%group_topic</c>.</summary>
    public const byte Retry = (byte)'1';

    /// <summary>A message of <c>%RETRY%group+topic</c>.</summary>
    public const byte RetrySecondForm = (byte)'2';

    private const byte Separator = (byte)' ';
    private const int MaxNumberBytes = 20;

    private static ReadOnlySpan<byte> RetryPrefix => "%RETRY%"u8;

    /// <summary>Where in the queue the pop began to read.</summary>
    public long StartOffset { get; init; }

    /// <summary>When the message was handed out, ms by the broker's clock.</summary>
    public long PopTimeMs { get; init; }

    public long InvisibleTimeMs { get; init; }

    public int ReviveQueueId { get; init; }

    /// <summary><see cref="Normal"/>, <see cref="Retry"/> or <see cref="RetrySecondForm"/>.</summary>
    public byte Kind { get; init; }

    public ReadOnlySpan<byte> BrokerName { get; init; }

    public int QueueId { get; init; }

    /// <summary>The message's own offset; -1 when the handle does not say it.</summary>
    public long QueueOffset { get; init; }

    public bool IsOrdered => ReviveQueueId == OrderedReviveQueueId;

    /// <summary>The most bytes that <see cref="Write"/> needs.</summary>
    public int MaxBytes => (6 * (MaxNumberBytes + 1)) + 2 + BrokerName.Length + 1;

    /// <summary>Of which kind the messages of a topic are.</summary>
    public static byte KindOf(ReadOnlySpan<byte> utf8Topic) =>
        !utf8Topic.StartsWith(RetryPrefix) ? Normal
        : utf8Topic.Contains((byte)'+') ? RetrySecondForm
        : Retry;

    /// <summary>Reads a handle. Its parts are slices of <paramref name="text"/>; false for what is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out PopHandle handle)
    {
        handle = default;
        if (!TryInt64(ref text, out long start)
            || !TryInt64(ref text, out long popTime)
            || !TryInt64(ref text, out long invisible)
            || !TryInt64(ref text, out long reviveQueueId)
            || NextPart(ref text) is not [Normal or Retry or RetrySecondForm] kind
            || NextPart(ref text) is not { IsEmpty: false } brokerName
            || !TryInt64(ref text, out long queueId))
        {
            return false;
        }

        long queueOffset = -1;
        if (!text.IsEmpty && (!TryInt64(ref text, out queueOffset) || !text.IsEmpty))
        {
            return false;
        }

        handle = new PopHandle
        {
            StartOffset = start,
            PopTimeMs = popTime,
            InvisibleTimeMs = invisible,
            ReviveQueueId = (int)Math.Min(reviveQueueId, int.MaxValue),
            Kind = kind[0],
            BrokerName = brokerName,
            QueueId = (int)Math.Min(queueId, int.MaxValue),
            QueueOffset = queueOffset,
        };
        return true;
    }

    /// <summary>Writes the handle; returns its length.</summary>
    /// <param name="destination">At least <see cref="MaxBytes"/> long.</param>
    public int Write(Span<byte> destination)
    {
        int at = 0;
        Append(destination, StartOffset, ref at);
        Append(destination, PopTimeMs, ref at);
        Append(destination, InvisibleTimeMs, ref at);
        Append(destination, ReviveQueueId, ref at);
        destination[at++] = Kind;
        destination[at++] = Separator;
        BrokerName.CopyTo(destination[at..]);
        at += BrokerName.Length;
        destination[at++] = Separator;
        Append(destination, QueueId, ref at);
        if (QueueOffset >= 0)
        {
            Append(destination, QueueOffset, ref at);
        }

        return at - 1;
    }

    private static void Append(Span<byte> destination, long number, ref int at)
    {
        Utf8Formatter.TryFormat(number, destination[at..], out int length);
        at += length;
        destination[at++] = Separator;
    }

    // None of the numbers is ever negative.
    private static bool TryInt64(scoped ref ReadOnlySpan<byte> text, out long number)
    {
        ReadOnlySpan<byte> part = NextPart(ref text);
        return Utf8Parser.TryParse(part, out number, out int read) && read == part.Length && number >= 0;
    }

    private static ReadOnlySpan<byte> NextPart(scoped ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf(Separator);
        ReadOnlySpan<byte> part = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return part;
    }
}
