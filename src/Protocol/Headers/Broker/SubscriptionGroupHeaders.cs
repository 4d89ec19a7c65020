using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Names a consumer group (RocketMQ: GetSubscriptionGroupConfigRequestHeader, QueryTopicsByConsumerRequestHeader).</summary>
public readonly record struct GroupHeader(string Group) : ICommandHeader<GroupHeader>
{
    public static GroupHeader Read(HeaderFields fields) => new(fields.GetString("group"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("group"u8, Group);
}

/// <summary>Deletes a consumer group (RocketMQ: DeleteSubscriptionGroupRequestHeader).</summary>
public readonly record struct DeleteSubscriptionGroupHeader(string GroupName, bool CleanOffset = false)
    : ICommandHeader<DeleteSubscriptionGroupHeader>
{
    public static DeleteSubscriptionGroupHeader Read(HeaderFields fields) =>
        new(fields.GetString("groupName"u8), fields.FindBoolean("cleanOffset"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("groupName"u8, GroupName);
        writer.Write("cleanOffset"u8, CleanOffset);
    }
}

/// <summary>
/// Asks whether a group may read a topic, after saying whether it may (RocketMQ: UpdateGroupForbiddenRequestHeader).
/// </summary>
/// <param name="Readable">Null only asks.</param>
public readonly record struct UpdateGroupForbiddenHeader(string Group, string Topic, bool? Readable = null)
    : ICommandHeader<UpdateGroupForbiddenHeader>
{
    public static UpdateGroupForbiddenHeader Read(HeaderFields fields) => new(
        fields.GetString("group"u8),
        fields.GetString("topic"u8),
        fields.TryFind("readable"u8, out _) ? fields.GetBoolean("readable"u8) : null);

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("group"u8, Group);
        writer.Write("topic"u8, Topic);
        writer.Write("readable"u8, Readable);
    }
}
