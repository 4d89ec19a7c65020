using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Gray;

/// <summary>Holds gray values that came from outside against their rules and limits.</summary>
public static class GrayCheck
{
    private const int MaxEpochLength = 64;

    /// <exception cref="GrayFormatException">Something is against the rules; the message says what.</exception>
    public static void Check(GraySnapshot snapshot)
    {
        Check(snapshot.Version);
        CheckCount(snapshot.Topics, GrayLimits.MaxTopics, "topics");
        CheckCount(snapshot.Releases, GrayLimits.MaxReleases, "releases");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (GrayTopic topic in snapshot.Topics)
        {
            Check(topic);
            Require(names.Add(topic.Name), $"topic {topic.Name} is there twice");
        }

        var open = new HashSet<(string, GrayReleaseKind)>();
        foreach (GrayRelease release in snapshot.Releases)
        {
            Check(release);
            Require(!release.IsOpen || open.Add((release.Group, release.Kind)), $"group {release.Group} has two open releases");
        }
    }

    /// <exception cref="GrayFormatException">Something is against the rules; the message says what.</exception>
    public static void Check(GrayProgress progress)
    {
        CheckName(progress.Broker, GrayLimits.MaxTextLength, "a broker");
        CheckText(progress.Address);
        Check(progress.Version);
        CheckCount(progress.Releases, GrayLimits.MaxReleases, "releases");
        CheckCount(progress.Queues, GrayLimits.MaxReportedQueues, "queues");
        CheckCount(progress.Topics, GrayLimits.MaxTopics, "topics");
        foreach (GrayTopicProgress topic in progress.Topics)
        {
            CheckName(topic.Topic, GrayLimits.MaxTopicLength, "a topic");
            CheckText(topic.Reason);
        }

        foreach (GrayReleaseProgress release in progress.Releases)
        {
            CheckName(release.Group, GrayLimits.MaxGroupLength, "a group");
            CheckText(release.Reason);
            Require(
                release.GivenUp >= 0 && release.GrayClients >= 0 && release.NormalClients >= 0,
                $"the progress of group {release.Group} has a count below 0");
        }

        foreach (GrayQueueProgress queue in progress.Queues)
        {
            CheckName(queue.Group, GrayLimits.MaxGroupLength, "a group");
            CheckName(queue.Topic, GrayLimits.MaxTopicLength, "a topic");
            Require(queue.Queue is >= 0 and < GrayLimits.MaxQueues, $"topic {queue.Topic} has a queue {queue.Queue}");
            CheckText(queue.Reason);
        }
    }

    /// <exception cref="GrayFormatException">Something is against the rules; the message says what.</exception>
    public static void Check(GrayTopic topic)
    {
        CheckName(topic.Name, GrayLimits.MaxTopicLength, "a topic");
        CheckText(topic.ChangedBy);
        string? problem = GrayQueues.Problem(topic.Queues, topic.Size);
        Require(problem is null, $"topic {topic.Name}: {problem}");
    }

    /// <exception cref="GrayFormatException">Something is against the rules; the message says what.</exception>
    public static void Check(GrayRelease release)
    {
        CheckName(release.Group, GrayLimits.MaxGroupLength, "a group");
        CheckText(release.OpenedBy);
        CheckText(release.ChangedBy);
        Require(release.Generation > 0, $"the generation {release.Generation} of group {release.Group} is not at least 1");
        Require(
            release.AbsenceMs is >= 0 or GrayRelease.ForEver, $"group {release.Group} waits {release.AbsenceMs} ms for an absent side");
        Require(
            release.State != GrayReleaseState.Promoting || release.Promotion is not null,
            $"group {release.Group} is promoted, but it is not said how");
        Require(
            release.State != GrayReleaseState.Withdrawing || release.Leftover is not null,
            $"group {release.Group} is withdrawn, but it is not said what becomes of what is left");
        CheckCount(release.Rules, GrayLimits.MaxRules, $"rules of group {release.Group}");
        foreach (GrayRule rule in release.Rules)
        {
            Require(rule.Pattern is not null, $"a rule of group {release.Group} has no pattern");
            string? problem = rule.Problem();
            Require(problem is null, $"group {release.Group}: {problem}");
        }

        Require(
            release.Clients is not null && release.Clients.Count <= GrayLimits.MaxClients,
            $"group {release.Group} has more than {GrayLimits.MaxClients} clients with a side of their own");
        foreach (string clientId in release.Clients.Keys)
        {
            CheckName(clientId, GrayLimits.MaxClientIdLength, "a client id");
        }
    }

    private static void Check(GrayVersion version)
    {
        Require(version.Epoch is null || version.Epoch.Length <= MaxEpochLength, $"an epoch has more than {MaxEpochLength} characters");
        Require(version.Version >= 0, $"the version {version.Version} is below 0");
    }

    private static void CheckCount<T>([NotNull] IReadOnlyCollection<T>? values, int most, string what)
        where T : class
    {
        Require(values is not null && values.Count <= most, $"there are more than {most} {what}");
        Require(!values.Contains(null!), $"null is among the {what}");
    }

    private static void CheckName(string? name, int most, string what) => Require(
        name is { Length: > 0 } && name.Length <= most && !name.AsSpan().ContainsAnyInRange('\0', '\x1f'),
        $"the name of {what} has {name?.Length ?? 0} characters: expected 1 to {most} printable ones");

    private static void CheckText(string? text) => Require(
        text is null || text.Length <= GrayLimits.MaxTextLength, $"a text has more than {GrayLimits.MaxTextLength} characters");

    private static void Require([DoesNotReturnIf(false)] bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new GrayFormatException(otherwise);
        }
    }
}
