using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks how far a group has come: GET_CONSUME_STATS (208; RocketMQ: GetConsumeStatsRequestHeader).</summary>
public sealed record GetConsumeStatsHeader : ICommandHeader<GetConsumeStatsHeader>
{
    private const char Separator = ';';

    public required string ConsumerGroup { get; init; }

    /// <summary>The one topic that is meant; null or blank for all that the group has committed offsets of.</summary>
    public string? Topic { get; init; }

    /// <summary>Topics that are meant whether the group subscribes to them or not; they come before <see cref="Topic"/>.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    public static GetConsumeStatsHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
        Topic = fields.FindString("topic"u8),
        Topics = fields.FindString("topicList"u8)?.Split(Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup);
        writer.Write("topic"u8, Topic);
        if (Topics.Count > 0)
        {
            writer.Write("topicList"u8, string.Join(Separator, Topics));
        }
    }
}

/// <summary>Asks how far all groups have come: GET_BROKER_CONSUME_STATS (317; RocketMQ: GetConsumeStatsInBrokerHeader).</summary>
public sealed record GetBrokerConsumeStatsHeader : ICommandHeader<GetBrokerConsumeStatsHeader>
{
    /// <summary>Only topics that keep the order of their queues.</summary>
    public bool IsOrder { get; init; }

    public static GetBrokerConsumeStatsHeader Read(HeaderFields fields) => new()
    {
        IsOrder = fields.GetBoolean("isOrder"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("isOrder"u8, IsOrder);
}

/// <summary>Asks for one of the broker's statistics: VIEW_BROKER_STATS_DATA (315).</summary>
public sealed record ViewBrokerStatsDataHeader : ICommandHeader<ViewBrokerStatsDataHeader>
{
    /// <summary>For instance TOPIC_PUT_NUMS.</summary>
    public required string StatsName { get; init; }

    /// <summary>For instance a topic, or <c>topic@group</c>.</summary>
    public required string StatsKey { get; init; }

    public static ViewBrokerStatsDataHeader Read(HeaderFields fields) => new()
    {
        StatsName = fields.GetString("statsName"u8),
        StatsKey = fields.GetString("statsKey"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("statsName"u8, StatsName);
        writer.Write("statsKey"u8, StatsKey);
    }
}

/// <summary>Comes with a broker's configuration: GET_BROKER_CONFIG (26; RocketMQ: GetBrokerConfigResponseHeader).</summary>
public sealed record GetBrokerConfigResponseHeader : ICommandHeader<GetBrokerConfigResponseHeader>
{
    /// <summary>A data version as JSON, which grows with each change.</summary>
    public required string Version { get; init; }

    public static GetBrokerConfigResponseHeader Read(HeaderFields fields) => new()
    {
        Version = fields.GetString("version"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("version"u8, Version);
}
