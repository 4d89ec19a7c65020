using System.Buffers.Text;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>Stored messages as clients get them (RocketMQ: GrpcConverter).</summary>
internal static class MessageConverter
{
    public static V2.Message ToMessage(in StoredMessage stored)
    {
        var message = new V2.Message
        {
            Topic = ResourceNames.ToResource(Encoding.UTF8.GetString(stored.Topic)),
            SystemProperties = new V2.SystemProperties
            {
                BornTimestamp = ToTimestamp(stored.BornTimestampMs),
                BornHost = stored.BornHost.ToAddress().ToString(),
                StoreTimestamp = ToTimestamp(stored.StoreTimestampMs),
                StoreHost = stored.StoreHost.ToString(),
                QueueId = stored.QueueId,
                QueueOffset = stored.QueueOffset,
                DeliveryAttempt = stored.ReconsumeTimes + 1,
                MessageType = V2.MessageType.Normal,
            },
        };
        ReadProperties(in stored, message);
        if (message.SystemProperties.MessageId.Length == 0)
        {
            message.SystemProperties.MessageId = MessageId.Format(stored.StoreHost, stored.PhysicalOffset);
        }

        ReadBody(in stored, message);
        return message;
    }

    public static Timestamp ToTimestamp(long milliseconds) => new()
    {
        Seconds = Math.DivRem(Math.Max(0, milliseconds), 1000, out long rest),
        Nanos = (int)rest * 1_000_000,
    };

    private static void ReadProperties(in StoredMessage stored, V2.Message message)
    {
        V2.SystemProperties system = message.SystemProperties;
        bool isTransaction = false;
        bool isDelayed = false;
        string? deadLetterTopic = null;
        string? deadLetterId = null;
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(stored.Properties))
        {
            string name = NameOf(property.Name);
            switch (name)
            {
                case MessageProperty.Tags:
                    system.Tag = Text(property.Value);
                    break;
                case MessageProperty.Keys:
                    system.Keys.AddRange(Text(property.Value).Split(MessageProperty.KeySeparator, StringSplitOptions.RemoveEmptyEntries));
                    break;
                case MessageProperty.UniqueKey:
                    system.MessageId = Text(property.Value);
                    break;
                case MessageProperty.TransactionPrepared:
                    isTransaction = property.Value.SequenceEqual("true"u8);
                    break;
                case MessageProperty.DelayTimeLevel or MessageProperty.TimerDelayMs or MessageProperty.TimerDelaySeconds:
                    isDelayed = true;
                    break;
                case MessageProperty.TimerDeliverMs:
                    isDelayed = true;
                    if (Utf8Parser.TryParse(property.Value, out long deliverMs, out _))
                    {
                        system.DeliveryTimestamp = ToTimestamp(deliverMs);
                    }

                    break;
                case MessageProperty.ShardingKey:
                    system.MessageGroup = Text(property.Value);
                    break;
                case MessageProperty.BornHost:
                    system.BornHost = Text(property.Value);
                    break;
                case MessageProperty.TraceContext:
                    system.TraceContext = Text(property.Value);
                    break;
                case MessageProperty.PopCheckPoint:
                    system.ReceiptHandle = Text(property.Value);
                    break;
                case MessageProperty.DlqOriginTopic:
                    deadLetterTopic = Text(property.Value);
                    break;
                case MessageProperty.DlqOriginMessageId:
                    deadLetterId = Text(property.Value);
                    break;
                default:
                    if (!SystemPropertyNames.Contains(name))
                    {
                        message.UserProperties[name] = Text(property.Value);
                    }

                    break;
            }
        }

        system.MessageType = isTransaction ? V2.MessageType.Transaction
            : isDelayed ? V2.MessageType.Delay
            : system.HasMessageGroup ? V2.MessageType.Fifo
            : V2.MessageType.Normal;
        if (deadLetterTopic is not null && deadLetterId is not null)
        {
            system.DeadLetterQueue = new V2.DeadLetterQueue { Topic = deadLetterTopic, MessageId = deadLetterId };
        }
    }

    // Remoting producers pack bodies in ways that these clients do not know.
    private static void ReadBody(in StoredMessage stored, V2.Message message)
    {
        message.SystemProperties.BodyEncoding = V2.Encoding.Identity;
        if (!MessageSysFlag.Has(stored.SysFlag, MessageSysFlag.Compressed))
        {
            message.Body = ByteString.CopyFrom(stored.Body);
        }
        else
        {
            try
            {
                message.Body = UnsafeByteOperations.UnsafeWrap(BodyCompression.Decompress(stored.Body, stored.SysFlag));
            }
            catch (Exception e) when (e is InvalidDataException or DllNotFoundException)
            {
                message.Body = ByteString.CopyFrom(stored.Body);
                message.SystemProperties.BodyEncoding = V2.Encoding.Gzip;
            }
        }

        message.SystemProperties.BodyDigest = BodyDigest.Of(message.Body.Span);
    }

    // Names that every message has are not made anew for each.
    private static string NameOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(MessagePropertyUtf8.UniqueKey) ? MessageProperty.UniqueKey
        : name.SequenceEqual(MessagePropertyUtf8.Cluster) ? MessageProperty.Cluster
        : name.SequenceEqual(MessagePropertyUtf8.MessageRegion) ? MessageProperty.MessageRegion
        : name.SequenceEqual(MessagePropertyUtf8.TraceSwitch) ? MessageProperty.TraceSwitch
        : name.SequenceEqual(MessagePropertyUtf8.ProducerGroup) ? MessageProperty.ProducerGroup
        : name.SequenceEqual(MessagePropertyUtf8.Tags) ? MessageProperty.Tags
        : name.SequenceEqual(MessagePropertyUtf8.Keys) ? MessageProperty.Keys
        : Text(name);

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
