using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Broker.Names;

/// <summary>A group and a topic that it consumes.</summary>
internal readonly record struct GroupTopic(string Group, string Topic)
{
    /// <summary>Stands between topic and group in RocketMQ's keys; no topic's name holds it, names of groups here may.</summary>
    public const char Separator = '@';

    /// <summary>Whether the group is one that clients name, and not one that a broker made (<c>group@broadcast</c>).</summary>
    public bool IsOfClients => !Group.Contains(Separator, StringComparison.Ordinal);

    /// <summary>Reads <c>topic@group</c>.</summary>
    public static bool TryParse(string key, out GroupTopic groupTopic)
    {
        int at = key.IndexOf(Separator, StringComparison.Ordinal);
        groupTopic = at > 0 && at < key.Length - 1 ? new GroupTopic(key[(at + 1)..], key[..at]) : default;
        return groupTopic.Group is not null;
    }

    /// <summary>As RocketMQ writes it: <c>topic@group</c>.</summary>
    public override string ToString() => $"{Topic}{Separator}{Group}";
}

/// <summary>The same as the bytes of a request.</summary>
internal readonly ref struct GroupTopicUtf8(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
{
    public ReadOnlySpan<byte> Group { get; } = group;

    public ReadOnlySpan<byte> Topic { get; } = topic;
}

/// <summary>Finds by the bytes of a request what is kept by name.</summary>
internal sealed class GroupTopicComparer : IEqualityComparer<GroupTopic>, IAlternateEqualityComparer<GroupTopicUtf8, GroupTopic>
{
    private static readonly Utf8NameComparer Names = Utf8NameComparer.Instance;

    private GroupTopicComparer()
    {
    }

    public static GroupTopicComparer Instance { get; } = new();

    public bool Equals(GroupTopic x, GroupTopic y) => x == y;

    public int GetHashCode([DisallowNull] GroupTopic obj) =>
        HashCode.Combine(Names.GetHashCode(obj.Group), Names.GetHashCode(obj.Topic));

    public bool Equals(GroupTopicUtf8 alternate, GroupTopic other) =>
        Names.Equals(alternate.Group, other.Group) && Names.Equals(alternate.Topic, other.Topic);

    public int GetHashCode(GroupTopicUtf8 alternate) =>
        HashCode.Combine(Names.GetHashCode(alternate.Group), Names.GetHashCode(alternate.Topic));

    public GroupTopic Create(GroupTopicUtf8 alternate) => new(Names.Create(alternate.Group), Names.Create(alternate.Topic));
}
