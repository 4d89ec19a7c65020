using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Checks a message as RocketMQ's proxy does, and says it in the broker's properties (RocketMQ: SendMessageActivity).</summary>
internal static class SentMessage
{
    private const int MaxNumberBytes = 20;

    /// <summary>Appends the message's properties to <paramref name="output"/>.</summary>
    /// <param name="topic">The full name, which is also the group that the producer is asked in.</param>
    /// <exception cref="MessagingException">Something of the message is not as it may be.</exception>
    public static void WriteProperties(
        V2.Message message, string topic, string? peer, GrpcOptions options, long nowMs, ArrayBufferWriter<byte> output)
    {
        V2.SystemProperties system = message.SystemProperties ?? throw Illegal(V2.Code.IllegalMessageId, "message id cannot be empty");
        if (system.MessageType is V2.MessageType.Lite or V2.MessageType.Priority || system.HasLiteTopic || system.HasPriority)
        {
            throw Illegal(V2.Code.Unsupported, "lite topics and priorities are not supported");
        }

        int bytes = WriteUserProperties(message, output);
        if (system.Tag.Length > 0)
        {
            CheckText(V2.Code.IllegalMessageTag, "tag", system.Tag);
            if (system.Tag.Contains('|', StringComparison.Ordinal))
            {
                throw Illegal(V2.Code.IllegalMessageTag, "tag cannot contain '|'");
            }

            bytes += Write(output, MessagePropertyUtf8.Tags, system.Tag);
        }

        if (system.Keys.Count > 0)
        {
            foreach (string key in system.Keys)
            {
                CheckText(V2.Code.IllegalMessageKey, "key", key);
            }

            bytes += Write(output, MessagePropertyUtf8.Keys, string.Join(MessageProperty.KeySeparator, system.Keys));
        }

        if (bytes > GrpcOptions.MaxPropertyBytes)
        {
            throw Illegal(
                V2.Code.MessagePropertiesTooLarge, $"the total size of user property is too large, max is {GrpcOptions.MaxPropertyBytes}");
        }

        if (string.IsNullOrWhiteSpace(system.MessageId))
        {
            throw Illegal(V2.Code.IllegalMessageId, "message id cannot be empty");
        }

        CheckText(V2.Code.IllegalMessageId, "message id", system.MessageId);
        Write(output, MessagePropertyUtf8.UniqueKey, system.MessageId);
        Write(output, MessagePropertyUtf8.ProducerGroup, topic);
        WriteKind(system, options, nowMs, output);
        if (system.TraceContext.Length > 0)
        {
            CheckText(V2.Code.IllegalMessagePropertyKey, "trace context", system.TraceContext);
            Write(output, "TRACE_CONTEXT"u8, system.TraceContext);
        }

        string bornHost = string.IsNullOrWhiteSpace(system.BornHost) ? peer ?? "" : system.BornHost;
        if (bornHost.Length > 0)
        {
            CheckText(V2.Code.IllegalMessagePropertyKey, "born host", bornHost);
            Write(output, "__BORNHOST"u8, bornHost);
        }
    }

    /// <summary>The message's body as it is stored: never packed, since each protocol's clients unpack something else.</summary>
    /// <param name="maxBytes">The limit of a request's bodies, as the client is told it.</param>
    /// <param name="leftBytes">What is left of it for this message.</param>
    /// <exception cref="MessagingException">It is empty, too large, or not what its digest and encoding say.</exception>
    public static ReadOnlyMemory<byte> BodyOf(V2.Message message, int maxBytes, int leftBytes)
    {
        if (message.Body.IsEmpty)
        {
            throw Illegal(V2.Code.MessageBodyEmpty, "message body cannot be empty");
        }

        if (leftBytes <= 0 || (message.Body.Length > leftBytes && !IsPacked(message)) || message.Body.Length > maxBytes)
        {
            throw TooLarge(maxBytes);
        }

        ReadOnlyMemory<byte> body = message.Body.Memory;
        if (message.SystemProperties?.BodyDigest is { Checksum.Length: > 0 } digest && !BodyDigest.Matches(digest, body.Span))
        {
            throw Illegal(V2.Code.MessageCorrupted, $"the body is not the one that its {digest.Type} digest was made of");
        }

        return IsPacked(message) ? Unpack(body, maxBytes, leftBytes) : body;
    }

    /// <summary>When the message was made, by the producer's clock.</summary>
    public static long BornMs(V2.Message message, long nowMs) =>
        message.SystemProperties?.BornTimestamp is { Seconds: > 0 and < 253_402_300_800 } born
            ? (born.Seconds * 1000) + (Math.Clamp(born.Nanos, 0, 999_999_999) / 1_000_000)
            : nowMs;

    private static int WriteUserProperties(V2.Message message, ArrayBufferWriter<byte> output)
    {
        if (message.UserProperties.Count > GrpcOptions.MaxProperties)
        {
            throw Illegal(V2.Code.MessagePropertiesTooLarge, $"too many user properties, max is {GrpcOptions.MaxProperties}");
        }

        int bytes = 0;
        foreach ((string name, string value) in message.UserProperties)
        {
            if (SystemPropertyNames.Contains(name))
            {
                throw Illegal(V2.Code.IllegalMessagePropertyKey, $"property is used by system: {name}");
            }

            if (name.Length == 0 || HasControl(name))
            {
                throw Illegal(V2.Code.IllegalMessagePropertyKey, "the key of property cannot be empty or contain control character");
            }

            if (HasControl(value))
            {
                throw Illegal(V2.Code.IllegalMessagePropertyKey, "the value of property cannot contain control character");
            }

            bytes += Write(output, Encoding.UTF8.GetBytes(name), value);
        }

        return bytes;
    }

    private static void WriteKind(V2.SystemProperties system, GrpcOptions options, long nowMs, ArrayBufferWriter<byte> output)
    {
        if (system.MessageType == V2.MessageType.Transaction)
        {
            Write(output, MessagePropertyUtf8.TransactionPrepared, "true");
            if (system.OrphanedTransactionRecoveryDuration is { } recovery)
            {
                if (recovery.Seconds < 0 || recovery.Seconds > GrpcOptions.MaxRecovery.TotalSeconds)
                {
                    throw Illegal(
                        V2.Code.BadRequest,
                        $"the max transaction recovery time of message is too large, max is {GrpcOptions.MaxRecovery.TotalSeconds}");
                }

                Write(output, "CHECK_IMMUNITY_TIME_IN_SECONDS"u8, recovery.Seconds);
            }
        }

        if (system.DeliveryTimestamp is { } delivery)
        {
            // What a timestamp may be is wider than what milliseconds can say.
            if (delivery.Seconds < 0 || delivery.Seconds > (nowMs / 1000) + (long)options.MaxDelay.TotalSeconds)
            {
                throw Illegal(
                    V2.Code.IllegalDeliveryTime,
                    $"the max delay time of message is too large, max is {(long)options.MaxDelay.TotalMilliseconds}");
            }

            Write(
                output,
                MessagePropertyUtf8.TimerDeliverMs,
                (delivery.Seconds * 1000) + (Math.Clamp(delivery.Nanos, 0, 999_999_999) / 1_000_000));
        }

        if (system.MessageGroup.Length > 0)
        {
            CheckText(V2.Code.IllegalMessageGroup, "message group", system.MessageGroup);
            if (Encoding.UTF8.GetByteCount(system.MessageGroup) >= GrpcOptions.MessageGroupBytes)
            {
                throw Illegal(V2.Code.IllegalMessageGroup, $"message group exceed the max size {GrpcOptions.MessageGroupBytes}");
            }

            Write(output, MessagePropertyUtf8.ShardingKey, system.MessageGroup);
        }
    }

    private static bool IsPacked(V2.Message message) => message.SystemProperties?.BodyEncoding == V2.Encoding.Gzip;

    private static ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> packed, int maxBytes, int leftBytes)
    {
        using var input = new MemoryStream(packed.ToArray(), writable: false);
        using var gzip = new GZipStream(input, CompressionMode.Decompress);
        var plain = new ArrayBufferWriter<byte>(Math.Min(leftBytes, packed.Length * 2) + 1);
        try
        {
            for (int read = -1; read != 0;)
            {
                read = gzip.Read(plain.GetSpan());
                plain.Advance(read);
                if (plain.WrittenCount > leftBytes)
                {
                    throw TooLarge(maxBytes);
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw Illegal(V2.Code.MessageCorrupted, $"the body is not gzip: {e.Message}");
        }

        return plain.WrittenMemory;
    }

    private static int Write(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Begin(output, name);
        Encoding.UTF8.GetBytes(value, output.GetSpan(length));
        output.Advance(length);
        End(output);
        return name.Length + length;
    }

    private static void Write(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, long value)
    {
        Begin(output, name);
        Utf8Formatter.TryFormat(value, output.GetSpan(MaxNumberBytes), out int length);
        output.Advance(length);
        End(output);
    }

    private static void Begin(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name)
    {
        output.Write(name);
        output.GetSpan(1)[0] = MessagePropertiesCodec.NameValueSeparator;
        output.Advance(1);
    }

    private static void End(ArrayBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = MessagePropertiesCodec.PropertySeparator;
        output.Advance(1);
    }

    private static void CheckText(V2.Code code, string what, string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw Illegal(code, $"{what} cannot be the char sequence of whitespace");
        }

        if (HasControl(text))
        {
            throw Illegal(code, $"{what} cannot contain control character");
        }
    }

    // The separators of properties are among them.
    private static bool HasControl(string text)
    {
        foreach (char character in text)
        {
            if (char.IsControl(character))
            {
                return true;
            }
        }

        return false;
    }

    private static MessagingException TooLarge(int maxBytes) => Illegal(
        V2.Code.MessageBodyTooLarge, string.Create(CultureInfo.InvariantCulture, $"message body cannot exceed the max {maxBytes}"));

    private static MessagingException Illegal(V2.Code code, string message) => new(code, message);
}
