using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Gray;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>Checks messages and puts them into the bytes in which they travel.</summary>
internal sealed class MessageEncoder(
    int compressBodyFromBytes, int maxMessageBytes, UniqueKeyGenerator keys, TimeProvider time, GrayRole? gray = null)
{
    // RocketMQ's clients compress at this level.
    private static readonly ZLibCompressionOptions Compression = new() { CompressionLevel = 5 };

    public static MessageEncoder Create(ProducerOptions options, TimeProvider time, GrayRole? gray = null) => new(
        options.CompressBodyFromBytes,
        options.MaxMessageBytes,
        new UniqueKeyGenerator(ClientIdentity.LocalAddress, Environment.ProcessId, time.LocalTimeZone),
        time,
        gray);

    /// <summary>The side of a message: what its own property says, else that of who sends it.</summary>
    public Side SideOf(Message message) =>
        message.PropertiesOrNull?.TryGetValue(GrayMark.Property, out string? mark) == true
            ? GrayMark.SideOf(mark)
            : gray?.SideOfMessage ?? Side.Normal;

    /// <param name="purpose">What the message is for, besides being delivered.</param>
    /// <param name="added">Properties of RocketMQ's own that the purpose needs.</param>
    /// <exception cref="ArgumentException">The message cannot be sent; the exception says why.</exception>
    public OutgoingMessage Encode(
        Message message,
        MessagePurpose purpose = MessagePurpose.Delivery,
        params ReadOnlySpan<(string Name, string Value)> added)
    {
        MessageRules.Require(message, maxMessageBytes);
        string id = message.MessageId ?? NextId();
        ReadOnlyMemory<byte> body = message.Body;
        int sysFlag = purpose == MessagePurpose.Transaction ? MessageSysFlag.TransactionPrepared : 0;
        if (body.Length >= compressBodyFromBytes && TryCompress(body.Span, out ReadOnlyMemory<byte> compressed))
        {
            body = compressed;
            sysFlag |= MessageSysFlag.Compressed | MessageSysFlag.CompressionZlib;
        }

        return new OutgoingMessage
        {
            Topic = message.Topic,
            MessageId = id,
            Properties = EncodeProperties(message, id, added),
            Body = body,
            Purpose = purpose,
            SysFlag = sysFlag,
            Flag = message.Flag,
            Side = SideOf(message),
        };
    }

    /// <summary>Puts messages into one body; they are not compressed (RocketMQ: MessageBatch).</summary>
    /// <exception cref="ArgumentException">A message cannot be sent, or not with the others.</exception>
    public OutgoingMessage EncodeBatch(IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("the batch is empty", nameof(messages));
        }

        Message first = messages[0];
        var body = new ArrayBufferWriter<byte>();
        var ids = new StringBuilder();
        foreach (Message message in messages)
        {
            MessageRules.Require(message, maxMessageBytes);
            RequireAlike(first, message);
            string id = message.MessageId ?? NextId();
            ids.Append(ids.Length == 0 ? "" : ",").Append(id);
            BatchBodyWriter.Write(body, message.Flag, message.Body.Span, EncodeProperties(message, id));
            if (body.WrittenCount > maxMessageBytes)
            {
                throw new ArgumentException(
                    $"the batch has more than {maxMessageBytes} bytes: cut it with {nameof(MessageBatch)}", nameof(messages));
            }
        }

        // RocketMQ's brokers append the batch's own properties to those of each message: an id among them, as RocketMQ's client
        // has it, would replace the messages' ids.
        var envelope = new Message(first.Topic, default) { WaitForStore = first.WaitForStore };
        return new OutgoingMessage
        {
            Topic = first.Topic,
            MessageId = ids.ToString(),
            Properties = EncodeProperties(envelope, id: null),
            Body = body.WrittenMemory,
            IsBatch = true,
            Count = messages.Count,
            Side = SideOf(first),
        };
    }

    private string NextId() => keys.Next(time.GetUtcNow().ToUnixTimeMilliseconds());

    private static void RequireAlike(Message first, Message message)
    {
        if (message.Topic != first.Topic)
        {
            throw new ArgumentException($"the batch holds topics {first.Topic} and {message.Topic}: a batch has one");
        }

        if (message.IsDelayed)
        {
            throw new ArgumentException("a message of the batch is delayed: such messages are sent one by one");
        }

        if (message.WaitForStore != first.WaitForStore)
        {
            throw new ArgumentException($"{nameof(Message.WaitForStore)} differs within the batch");
        }

        if (NameRules.IsRetryTopic(message.Topic))
        {
            throw new ArgumentException($"retry topic {message.Topic} takes no batches");
        }
    }

    private byte[] EncodeProperties(
        Message message, string? id, params ReadOnlySpan<(string Name, string Value)> added)
    {
        var writer = new PropertiesWriter();
        try
        {
            if (message.Keys.Count > 0)
            {
                writer.Write(MessageProperty.Keys, JoinKeys(message.Keys));
            }

            if (id is not null)
            {
                writer.Write(MessageProperty.UniqueKey, id);
            }

            writer.Write(MessageProperty.WaitStoreMessageOk, message.WaitForStore ? "true" : "false");
            if (!string.IsNullOrEmpty(message.Tag))
            {
                writer.Write(MessageProperty.Tags, message.Tag);
            }

            if (!string.IsNullOrEmpty(message.ShardingKey))
            {
                writer.Write(MessageProperty.ShardingKey, message.ShardingKey);
            }

            if (DelayOf(message) is { } delay)
            {
                writer.Write(delay.Name, delay.Value.ToString(CultureInfo.InvariantCulture));
            }

            // A message that says by itself on which side it is keeps what it says; a batch's envelope is no message.
            if (id is not null && SideOf(message) == Side.Gray && message.PropertiesOrNull?.ContainsKey(GrayMark.Property) != true)
            {
                writer.Write(GrayMark.Property, GrayMark.Value);
            }

            foreach ((string name, string value) in added)
            {
                writer.Write(name, value);
            }

            if (id is not null && TraceContext.OfSending is { } span)
            {
                WriteTrace(ref writer, span, message.PropertiesOrNull);
            }

            if (message.PropertiesOrNull is { } properties)
            {
                foreach ((string name, string value) in properties)
                {
                    writer.Write(name, value);
                }
            }

            return writer.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    // A message that is sent on with the trace that it came with keeps it.
    private static void WriteTrace(ref PropertiesWriter writer, Activity span, Dictionary<string, string>? properties)
    {
        if (properties?.ContainsKey(TraceContext.Parent) == true)
        {
            return;
        }

        writer.Write(TraceContext.Parent, span.Id!);
        if (!string.IsNullOrEmpty(span.TraceStateString))
        {
            writer.Write(TraceContext.State, span.TraceStateString);
        }
    }

    private static (string Name, long Value)? DelayOf(Message message) => message switch
    {
        { DelayLevel: { } level } => (MessageProperty.DelayTimeLevel, level),
        { Delay: { } delay } => (MessageProperty.TimerDelayMs, (long)delay.TotalMilliseconds),
        { DeliverAt: { } time } => (MessageProperty.TimerDeliverMs, time.ToUnixTimeMilliseconds()),
        _ => null,
    };

    private static string JoinKeys(IReadOnlyList<string> keys) =>
        keys.Count == 1 ? keys[0] : string.Join(MessageProperty.KeySeparator, keys);

    private static bool TryCompress(ReadOnlySpan<byte> body, out ReadOnlyMemory<byte> compressed)
    {
        var output = new MemoryStream(body.Length);
        using (var deflater = new ZLibStream(output, Compression, leaveOpen: true))
        {
            deflater.Write(body);
        }

        compressed = output.GetBuffer().AsMemory(0, (int)output.Length);
        return output.Length < body.Length;
    }
}
