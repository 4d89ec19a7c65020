using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Makes what a broker tells name servers of its progress.</summary>
internal static class GrayReport
{
    public static GrayProgress Make(
        GrayOptions options,
        GraySnapshot acting,
        IReadOnlyCollection<GrayEntry> entries,
        TopicTable topics,
        ConsumerTable consumers,
        GrayQueueFacts facts,
        KeyOrder keys,
        GraySkips skips,
        long nowMs)
    {
        var releases = new List<GrayReleaseProgress>();
        var queues = new List<GrayQueueProgress>();
        var handed = new Dictionary<string, HandedQueues>(StringComparer.Ordinal);
        foreach (GrayEntry entry in entries.Where(entry => entry.Group.Release.IsOpen))
        {
            bool isDone = !entry.IsHeldUp;
            foreach (GrayQueueProgress queue in QueuesOf(entry, facts, keys, nowMs))
            {
                isDone &= !queue.IsHandedOver;
                if (queue is { IsHandedOver: true, WasGrayQueue: true })
                {
                    // Of all of them, not only of those that there is room for in the report.
                    handed[queue.Topic] = handed.TryGetValue(queue.Topic, out HandedQueues before)
                        ? before with { Count = before.Count + 1 }
                        : new HandedQueues(1, queue);
                }

                if (queues.Count < GrayLimits.MaxReportedQueues)
                {
                    queues.Add(queue);
                }
            }

            releases.Add(ProgressOf(entry, consumers.Find(entry.Group.Name), skips, isDone));
        }

        releases.AddRange(acting.Releases.Where(each => each.IsOpen && each.Kind == GrayReleaseKind.Producer).Select(each =>
            new GrayReleaseProgress
            {
                Group = each.Group,
                Kind = each.Kind,
                Generation = each.Generation,
                State = each.State,
                Since = each.Since,
                IsDone = true,
            }));
        return new GrayProgress
        {
            Broker = options.BrokerName,
            Address = options.BrokerAddress,
            Version = acting.Version,
            Releases = releases,
            Topics =
            [
                .. acting.Topics.Where(topic => topic.State != GrayTopicState.On)
                    .Select(topic => ProgressOf(topic, topics.Find(topic.Name), handed)),
            ],
            Queues = queues,
        };
    }

    /// <summary>Every queue of a group with a release.</summary>
    public static IEnumerable<GrayQueueProgress> QueuesOf(GrayEntry entry, GrayQueueFacts facts, KeyOrder keys, long nowMs)
    {
        string group = entry.Group.Name;
        IReadOnlyDictionary<(string Topic, int QueueId), string> inOrder = keys.ReasonsOf(group);
        foreach ((string topic, QueueOwnership[] queues) in entry.Group.Topics.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            for (int queueId = 0; queueId < queues.Length; queueId++)
            {
                QueueOwnership queue = queues[queueId];
                yield return new GrayQueueProgress
                {
                    Group = group,
                    Topic = topic,
                    Queue = queueId,
                    Owner = queue.Owner,
                    IsHandedOver = queue.IsHandedOver,
                    Next = queue.Next,
                    Boundary = queue.Boundary,
                    WasGrayQueue = queue.IsGrayQueue || queue.Handovers.Any(each => each.IsGrayQueue),
                    Consumed = facts.CommittedOf(group, topic, queueId),
                    Max = facts.EndOf(topic, queueId),
                    SinceMs = queue.IsHandedOver ? queue.Handovers[0].SinceMs : 0,
                    Reason = inOrder.GetValueOrDefault((topic, queueId)) ?? queue.Look(facts.Of(entry, topic, queueId, queue, nowMs)).Reason,
                };
            }
        }
    }

    // A topic is switched on where it can be, and neither on nor off while messages of when it was on are to be consumed by their side: what
    // comes next is stored by other rules.
    private static GrayTopicProgress ProgressOf(GrayTopic gray, Topic? topic, Dictionary<string, HandedQueues> handed)
    {
        string? reason =
            handed.TryGetValue(gray.Name, out HandedQueues of)
                ? $"{of.Count} queues are handed over still: queue {of.First.Queue}: {of.First.Reason}"
            : gray.State != GrayTopicState.Enabling ? null
            : topic is null ? "there is no such topic here"
            : GrayPlan.QueuesOf(topic.Config) < gray.Queues
                ? $"the topic has {GrayPlan.QueuesOf(topic.Config)} queues here, the gray state says {gray.Queues}"
                : null;
        return new GrayTopicProgress { Topic = gray.Name, Since = gray.Since, IsDone = reason is null, Reason = reason };
    }

    private static GrayReleaseProgress ProgressOf(GrayEntry entry, ConsumerGroup? consumers, GraySkips skips, bool isDone)
    {
        GrayRelease release = entry.Group.Release;
        return new GrayReleaseProgress
        {
            Group = release.Group,
            Kind = release.Kind,
            Generation = release.Generation,
            State = release.State,
            Since = release.Since,
            IsDone = isDone,
            SubscriptionsDiffer = entry.SubscriptionsDiffer,
            Reason = entry.IsHeldUp
                ? "the sides subscribe to different topics or by different expressions: only a promotion that replaces the normal side would drop nothing"
                : null,
            GivenUp = entry.GivenUp + (skips.Find(release.Group, release.Generation)?.Skipped ?? 0),
            GrayClients = CountOf(entry, consumers, Standing.Gray),
            NormalClients = CountOf(entry, consumers, Standing.Normal),
        };
    }

    private static int CountOf(GrayEntry entry, ConsumerGroup? consumers, Standing standing) =>
        consumers is null ? 0 : entry.Group.ClientsOf(consumers, standing).Count();

    // Gray queues of a topic, of whatever group, that have not changed hands yet.
    private readonly record struct HandedQueues(int Count, GrayQueueProgress First);
}
