using GrayMQ.Broker.Clients;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Makes what a broker tells name servers of its progress.</summary>
internal static class GrayReport
{
    public static GrayProgress Make(
        GrayOptions options,
        GraySnapshot acting,
        IReadOnlyCollection<GrayEntry> entries,
        ConsumerTable consumers,
        GrayQueueFacts facts,
        long nowMs)
    {
        var releases = new List<GrayReleaseProgress>();
        var queues = new List<GrayQueueProgress>();
        foreach (GrayEntry entry in entries.Where(entry => entry.Group.Release.IsOpen))
        {
            bool isDone = !entry.IsHeldUp;
            foreach (GrayQueueProgress queue in QueuesOf(entry, facts, nowMs))
            {
                isDone &= !queue.IsHandedOver;
                if (queues.Count < GrayLimits.MaxReportedQueues)
                {
                    queues.Add(queue);
                }
            }

            releases.Add(ProgressOf(entry, consumers.Find(entry.Group.Name), isDone));
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
            Queues = queues,
        };
    }

    /// <summary>Every queue of a group with a release.</summary>
    public static IEnumerable<GrayQueueProgress> QueuesOf(GrayEntry entry, GrayQueueFacts facts, long nowMs)
    {
        string group = entry.Group.Name;
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
                    Consumed = facts.CommittedOf(group, topic, queueId),
                    Max = facts.EndOf(topic, queueId),
                    SinceMs = queue.SinceMs,
                    Reason = queue.Look(facts.Of(entry, topic, queueId, queue, nowMs)).Reason,
                };
            }
        }
    }

    private static GrayReleaseProgress ProgressOf(GrayEntry entry, ConsumerGroup? consumers, bool isDone)
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
            GivenUp = entry.GivenUp,
            GrayClients = CountOf(entry, consumers, Standing.Gray),
            NormalClients = CountOf(entry, consumers, Standing.Normal),
        };
    }

    private static int CountOf(GrayEntry entry, ConsumerGroup? consumers, Standing standing) =>
        consumers is null ? 0 : entry.Group.ClientsOf(consumers, standing).Count();
}
