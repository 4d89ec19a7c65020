using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>What a command is held against, beside the state: what brokers registered, and what they answered when they were asked.</summary>
internal sealed record GrayFacts
{
    public required long NowMs { get; init; }

    /// <summary>Who gives the command, for the state.</summary>
    public required string By { get; init; }

    /// <summary>Names of the brokers that are registered here now.</summary>
    public required IReadOnlyList<string> Registered { get; init; }

    /// <summary>Names of the brokers that act on the gray state.</summary>
    public required IReadOnlySet<string> Aware { get; init; }

    /// <summary>The command's topic at each broker that has it; empty when there is no such topic, or none is asked about.</summary>
    public IReadOnlyList<QueueData> Queues { get; init; } = [];

    /// <summary>Whether the command's topic is one that brokers make for themselves.</summary>
    public bool IsSystemTopic { get; init; }

    /// <summary>The command's group, at all brokers; null when none is asked about.</summary>
    public GroupFacts? Group { get; init; }

    /// <summary>Brokers that cannot honour gray: commands that need all are refused because of them.</summary>
    public string? Unaware(IEnumerable<string> needed)
    {
        string[] unaware = [.. needed.Where(broker => !Aware.Contains(broker)).Order(StringComparer.Ordinal)];
        return unaware.Length == 0
            ? null
            : $"broker {string.Join(", ", unaware)} has never asked for the gray state: it is not GrayMQ's, is too old, or does not know "
                + "this name server";
    }
}

/// <summary>A group as the brokers know it.</summary>
internal sealed record GroupFacts
{
    public required bool Exists { get; init; }

    /// <summary>Ids of the clients that are connected.</summary>
    public required IReadOnlySet<string> Clients { get; init; }

    /// <summary>Ids of those that are gray, by whatever rule.</summary>
    public required IReadOnlySet<string> GrayClients { get; init; }

    /// <summary>What the sides subscribe to, at all brokers.</summary>
    public required IReadOnlyList<GraySubscriptionStatus> Subscriptions { get; init; }

    /// <summary>Brokers that did not answer, with their reasons.</summary>
    public required IReadOnlyList<string> Silent { get; init; }

    /// <summary>How the two sides' subscriptions differ; null when they do not, or one side has none.</summary>
    public string? Difference()
    {
        Dictionary<string, string> gray = Of(gray: true);
        Dictionary<string, string> normal = Of(gray: false);
        if (gray.Count == 0 || normal.Count == 0)
        {
            return null;
        }

        foreach (string topic in gray.Keys.Union(normal.Keys).Order(StringComparer.Ordinal))
        {
            string? ofGray = gray.GetValueOrDefault(topic);
            string? ofNormal = normal.GetValueOrDefault(topic);
            if (ofGray != ofNormal)
            {
                return $"of topic {topic} the gray side subscribes to {ofGray ?? "nothing"}, the normal side to {ofNormal ?? "nothing"}";
            }
        }

        return null;
    }

    private Dictionary<string, string> Of(bool gray)
    {
        var topics = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (GraySubscriptionStatus subscription in Subscriptions.Where(subscription => subscription.Gray == gray))
        {
            topics[subscription.Topic] = $"{subscription.ExpressionType} {subscription.Expression}";
        }

        return topics;
    }
}
