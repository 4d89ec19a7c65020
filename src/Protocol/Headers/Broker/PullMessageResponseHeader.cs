using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Where a pull stands in its queue (RocketMQ: PullMessageResponseHeader).</summary>
public readonly record struct PullMessageResponseHeader : ICommandHeader<PullMessageResponseHeader>
{
    public long SuggestWhichBrokerId { get; init; }

    /// <summary>Where to pull next; also set when nothing was found.</summary>
    public long NextBeginOffset { get; init; }

    public long MinOffset { get; init; }

    public long MaxOffset { get; init; }

    public int? TopicSysFlag { get; init; }

    public int? GroupSysFlag { get; init; }

    /// <summary>Why a pull was forbidden (RocketMQ: ForbiddenType).</summary>
    public int? ForbiddenType { get; init; }

    public static PullMessageResponseHeader Read(HeaderFields fields) => new()
    {
        SuggestWhichBrokerId = fields.GetInt64("suggestWhichBrokerId"u8),
        NextBeginOffset = fields.GetInt64("nextBeginOffset"u8),
        MinOffset = fields.GetInt64("minOffset"u8),
        MaxOffset = fields.GetInt64("maxOffset"u8),
        TopicSysFlag = fields.TryFind("topicSysFlag"u8, out _) ? fields.GetInt32("topicSysFlag"u8) : null,
        GroupSysFlag = fields.TryFind("groupSysFlag"u8, out _) ? fields.GetInt32("groupSysFlag"u8) : null,
        ForbiddenType = fields.TryFind("forbiddenType"u8, out _) ? fields.GetInt32("forbiddenType"u8) : null,
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("suggestWhichBrokerId"u8, SuggestWhichBrokerId);
        writer.Write("nextBeginOffset"u8, NextBeginOffset);
        writer.Write("minOffset"u8, MinOffset);
        writer.Write("maxOffset"u8, MaxOffset);
        writer.Write("topicSysFlag"u8, TopicSysFlag);
        writer.Write("groupSysFlag"u8, GroupSysFlag);
        writer.Write("forbiddenType"u8, ForbiddenType);
    }
}
