using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// What a client gives back to say which message it means: a pop handle, and behind it where the log has the message (RocketMQ:
/// ReceiptHandle). It comes from outside: whoever uses it is told when it holds no message of that queue.
/// </summary>
/// <param name="Handle">As the broker's handlers take it.</param>
/// <param name="Kind">See <see cref="PopHandle.Kind"/>.</param>
/// <param name="PhysicalOffset">-1 when the receipt does not say it.</param>
internal sealed record Receipt(
    byte[] Handle, byte Kind, int QueueId, long QueueOffset, long PopTimeMs, long InvisibleTimeMs, long PhysicalOffset)
{
    private const int MaxCharacters = 1024;
    /// <summary>Stands between the pop handle's parts, and behind it.</summary>
    public const byte Separator = (byte)' ';

    public bool IsOrdered { get; private init; }

    /// <exception cref="MessagingException">It is none.</exception>
    public static Receipt Parse(string text)
    {
        if (text.Length is 0 or > MaxCharacters)
        {
            throw Invalid();
        }

        Span<byte> utf8 = stackalloc byte[text.Length];
        return Ascii.FromUtf16(text, utf8, out _) == OperationStatus.Done ? Parse(utf8) : throw Invalid();
    }

    /// <exception cref="MessagingException">It is none.</exception>
    public static Receipt Parse(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> handle = utf8;
        long physicalOffset = -1;
        if (handle.Count(Separator) == 8)
        {
            int last = handle.LastIndexOf(Separator);
            ReadOnlySpan<byte> number = handle[(last + 1)..];
            if (!Utf8Parser.TryParse(number, out physicalOffset, out int read) || read != number.Length)
            {
                throw Invalid();
            }

            handle = handle[..last];
        }

        return PopHandle.TryParse(handle, out PopHandle parsed) && parsed.QueueOffset >= 0
            ? Of(in parsed, physicalOffset)
            : throw Invalid();
    }

    public static Receipt Of(in PopHandle handle, long physicalOffset)
    {
        Span<byte> text = stackalloc byte[handle.MaxBytes];
        int length = handle.Write(text);
        return new Receipt(
            text[..length].ToArray(),
            handle.Kind,
            handle.QueueId,
            handle.QueueOffset,
            handle.PopTimeMs,
            handle.InvisibleTimeMs,
            physicalOffset)
        {
            IsOrdered = handle.IsOrdered,
        };
    }

    /// <summary>The topic that stores the message: a retry topic where it came from one.</summary>
    public string StoredTopic(string topic, string group) => Kind switch
    {
        PopHandle.Retry => TopicNames.PopRetryOf(topic, group),
        PopHandle.RetrySecondForm => TopicNames.PopRetryOf(topic, group, secondForm: true),
        _ => topic,
    };

    public override string ToString()
    {
        string handle = Encoding.UTF8.GetString(Handle);
        return PhysicalOffset < 0 ? handle : string.Create(CultureInfo.InvariantCulture, $"{handle} {PhysicalOffset}");
    }

    private static MessagingException Invalid() => new(V2.Code.InvalidReceiptHandle, "the receipt handle is none");
}
