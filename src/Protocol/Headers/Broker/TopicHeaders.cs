using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Names a topic (RocketMQ: DeleteTopicRequestHeader, GetTopicConfigRequestHeader, QueryTopicConsumeByWhoRequestHeader).</summary>
public readonly record struct TopicHeader(string Topic) : ICommandHeader<TopicHeader>
{
    public static TopicHeader Read(HeaderFields fields) => new(fields.GetString("topic"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("topic"u8, Topic);
}

/// <summary>Creates or updates a topic (RocketMQ: CreateTopicRequestHeader).</summary>
public sealed record CreateTopicHeader : ICommandHeader<CreateTopicHeader>
{
    public required string Topic { get; init; }

    /// <summary>Of no meaning; clients send TBW102.</summary>
    public string DefaultTopic { get; init; } = "";

    public int ReadQueueNums { get; init; }

    public int WriteQueueNums { get; init; }

    /// <summary>Bits of TopicPermission.</summary>
    public int Permission { get; init; }

    /// <summary>SINGLE_TAG or MULTI_TAG.</summary>
    public string TopicFilterType { get; init; } = "SINGLE_TAG";

    public int? TopicSysFlag { get; init; }

    public bool Order { get; init; }

    /// <summary>Modifications of attributes: <c>+key=value,-key</c>.</summary>
    public string? Attributes { get; init; }

    public static CreateTopicHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        DefaultTopic = fields.FindString("defaultTopic"u8) ?? "",
        ReadQueueNums = fields.GetInt32("readQueueNums"u8),
        WriteQueueNums = fields.GetInt32("writeQueueNums"u8),
        Permission = fields.GetInt32("perm"u8),
        TopicFilterType = fields.GetString("topicFilterType"u8),
        TopicSysFlag = fields.TryFind("topicSysFlag"u8, out _) ? fields.GetInt32("topicSysFlag"u8) : null,
        Order = fields.FindBoolean("order"u8),
        Attributes = fields.FindString("attributes"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("defaultTopic"u8, DefaultTopic);
        writer.Write("readQueueNums"u8, ReadQueueNums);
        writer.Write("writeQueueNums"u8, WriteQueueNums);
        writer.Write("perm"u8, Permission);
        writer.Write("topicFilterType"u8, TopicFilterType);
        writer.Write("topicSysFlag"u8, TopicSysFlag);
        writer.Write("order"u8, Order);
        writer.Write("attributes"u8, Attributes);
    }
}
