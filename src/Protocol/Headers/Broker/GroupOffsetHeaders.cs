using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Gives a group the offsets of another one (RocketMQ: CloneGroupOffsetRequestHeader).</summary>
public sealed record CloneGroupOffsetHeader : ICommandHeader<CloneGroupOffsetHeader>
{
    public required string SourceGroup { get; init; }

    public required string TargetGroup { get; init; }

    /// <summary>The topic; null or blank for all that the source has offsets of.</summary>
    public string? Topic { get; init; }

    /// <summary>Whether to clone also topics that consumers of the source no longer subscribe to.</summary>
    public bool Offline { get; init; }

    public static CloneGroupOffsetHeader Read(HeaderFields fields) => new()
    {
        SourceGroup = fields.GetString("srcGroup"u8),
        TargetGroup = fields.GetString("destGroup"u8),
        Topic = fields.FindString("topic"u8),
        Offline = fields.FindBoolean("offline"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("srcGroup"u8, SourceGroup);
        writer.Write("destGroup"u8, TargetGroup);
        writer.Write("topic"u8, Topic);
        writer.Write("offline"u8, Offline);
    }
}

/// <summary>
/// Asks up to where every group has consumed a topic's queues, and whether one group is beyond (RocketMQ: QueryCorrectionOffsetHeader).
/// </summary>
public sealed record QueryCorrectionOffsetHeader : ICommandHeader<QueryCorrectionOffsetHeader>
{
    public required string Topic { get; init; }

    public required string CompareGroup { get; init; }

    /// <summary>Groups that do not count, separated by commas.</summary>
    public string? FilterGroups { get; init; }

    public static QueryCorrectionOffsetHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        CompareGroup = fields.GetString("compareGroup"u8),
        FilterGroups = fields.FindString("filterGroups"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("compareGroup"u8, CompareGroup);
        writer.Write("filterGroups"u8, FilterGroups);
    }
}
