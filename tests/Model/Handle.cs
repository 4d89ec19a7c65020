using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Model;

/// <summary>What a popped message is acknowledged by, as clients make it of a pop's answer (RocketMQ: ExtraInfoUtil).</summary>
internal sealed record Handle(
    string Group,
    string Topic,
    long StartOffset,
    long PopTimeMs,
    long InvisibleTimeMs,
    int ReviveQueueId,
    char Kind,
    string BrokerName,
    int QueueId,
    long QueueOffset)
{
    private const char Normal = '0';
    private const char FirstRetry = '1';

    /// <summary>The topic that stores the message.</summary>
    public string StoredIn => Kind == Normal ? Topic : TopicNames.PopRetryOf(Topic, Group, secondForm: Kind != FirstRetry);

    public override string ToString() =>
        Text.Join(' ', StartOffset, PopTimeMs, InvisibleTimeMs, ReviveQueueId, Kind, BrokerName, QueueId, QueueOffset);

    /// <summary>The handle of a message: the one that it brings with it, or made of where its queue's batch began.</summary>
    public static Handle Of(string group, string topic, string brokerName, in PopMessageResponseHeader answer, ReceivedMessage message)
    {
        if (message.Properties.TryGetValue(MessageProperty.PopCheckPoint, out string? own))
        {
            string[] parts = own.Split(' ');
            return new Handle(
                group,
                topic,
                Text.Number(parts[0]),
                Text.Number(parts[1]),
                Text.Number(parts[2]),
                (int)Text.Number(parts[3]),
                parts[4][0],
                parts[5],
                (int)Text.Number(parts[6]),
                Text.Number(parts[7]));
        }

        foreach (string part in Text.Of(answer.StartOffsetInfo).Split(';'))
        {
            string[] numbers = part.Split(' ');
            if (numbers[0] == "0" && Text.Number(numbers[1]) == message.QueueId)
            {
                return new Handle(
                    group,
                    topic,
                    Text.Number(numbers[2]),
                    answer.PopTimeMs,
                    answer.InvisibleTimeMs,
                    answer.ReviveQueueId,
                    Normal,
                    brokerName,
                    message.QueueId,
                    message.QueueOffset);
            }
        }

        throw new Violation($"the answer to a pop does not tell where queue {message.QueueId} began: {Text.Of(answer.StartOffsetInfo)}");
    }

    /// <summary>The handle after a change of the invisible time.</summary>
    public Handle After(ChangeInvisibleTimeResponseHeader answer) => this with
    {
        StartOffset = QueueOffset,
        PopTimeMs = answer.PopTimeMs,
        InvisibleTimeMs = answer.InvisibleTimeMs,
        ReviveQueueId = answer.ReviveQueueId,
    };

    public AckMessageHeader ToAck() => new()
    {
        ConsumerGroup = Text.Utf8(Group),
        Topic = Text.Utf8(StoredIn),
        QueueId = QueueId,
        ExtraInfo = Text.Utf8(ToString()),
        Offset = QueueOffset,
    };

    public ChangeInvisibleTimeHeader ToChange(long invisibleTimeMs) => new()
    {
        ConsumerGroup = Text.Utf8(Group),
        Topic = Text.Utf8(StoredIn),
        QueueId = QueueId,
        ExtraInfo = Text.Utf8(ToString()),
        Offset = QueueOffset,
        InvisibleTimeMs = invisibleTimeMs,
    };
}
