namespace GrayMQ.Gray;

/// <summary>The whole gray state of one version: immutable, and equal to every other of the same contents.</summary>
public sealed record GraySnapshot
{
    /// <summary>A state in which nothing is gray, and which says so of no epoch.</summary>
    public static GraySnapshot Empty { get; } = new() { Version = GrayVersion.None };

    public required GrayVersion Version { get; init; }

    /// <summary>In ordinal order of their names; a topic that is off need not be there.</summary>
    public IReadOnlyList<GrayTopic> Topics { get; init; } = [];

    /// <summary>
    /// In order of group, kind and generation. All that are open, and of those that are closed the last of each group and kind.
    /// </summary>
    public IReadOnlyList<GrayRelease> Releases { get; init; } = [];

    public GrayTopic? FindTopic(string name) => Topics.FirstOrDefault(topic => topic.Name == name);

    /// <summary>The release of a group that is not closed.</summary>
    public GrayRelease? FindOpen(string group, GrayReleaseKind kind) =>
        Releases.FirstOrDefault(release => release.IsOpen && release.Kind == kind && release.Group == group);

    public bool Equals(GraySnapshot? other) =>
        other is not null
        && Version == other.Version
        && Topics.SequenceEqual(other.Topics)
        && Releases.SequenceEqual(other.Releases);

    public override int GetHashCode() => Version.GetHashCode();
}
