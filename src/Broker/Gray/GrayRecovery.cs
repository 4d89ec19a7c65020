using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Brings back, at the start, what was on disk of groups with sides. Asked by <see cref="GrayWork"/> alone.</summary>
internal sealed class GrayRecovery(
    GrayStore store, TopicTable topics, ConsumerOffsetTable offsets, GrayQueueFacts facts, GrayOptions options, GrayRoster roster)
{
    /// <summary>The groups by name, but those of whose release nothing is known.</summary>
    /// <exception cref="InvalidDataException">What is on disk cannot be read.</exception>
    public Dictionary<string, GrayEntry> Recover(GraySnapshot acting, long nowMs)
    {
        var entries = new Dictionary<string, GrayEntry>(StringComparer.Ordinal);
        foreach (GrayGroupState state in store.ReadGroups())
        {
            GrayRelease? release = state.Ended ?? acting.Releases.FirstOrDefault(each =>
                each.Kind == GrayReleaseKind.Consumer && each.Group == state.Group && each.Generation == state.Generation);
            if (release is null)
            {
                continue;
            }

            GrayGroup group = roster.NewGroup(release);
            group.Update(release, state.Retired.ToHashSet(StringComparer.Ordinal), new HashSet<string>());
            group.Know(state.Clients);
            group.Apply(TopicsOf(group, state, nowMs));
            entries[state.Group] = new GrayEntry(group, state.Subscribers, state.GivenUp)
            {
                Clients = new GrayClients(state.Clients),
                EndedMs = state.EndedMs,
                RecoveredMs = nowMs,
                IsDirty = true,
            };
        }

        return entries;
    }

    // What is on disk of topics that are there still, no further than their queues go.
    private Dictionary<string, QueueOwnership[]> TopicsOf(GrayGroup group, GrayGroupState state, long nowMs)
    {
        // A side that is withdrawn has as long as ever, from when its clients are back.
        long deadlineMs = nowMs + (long)(options.ReturnWait + options.WithdrawWait).TotalMilliseconds;
        var recovered = new Dictionary<string, QueueOwnership[]>(StringComparer.Ordinal);
        foreach ((string topic, QueueOwnership[] queues) in state.Topics)
        {
            if (topics.Find(topic) is not { } found)
            {
                continue;
            }

            recovered[topic] = new QueueOwnership[queues.Length];
            for (int queueId = 0; queueId < queues.Length; queueId++)
            {
                long end = facts.EndOf(topic, queueId);
                QueueOwnership queue = recovered[topic][queueId] = queues[queueId].ClampTo(end).WithDeadline(deadlineMs);

                // A commit is on disk a little later than an owner, and may be lost when he is not; messages may be lost when a commit is not.
                long committed = offsets.Find(state.Group, topic, queueId);
                if (committed != Math.Clamp(committed, queue.Start, end) && (committed > 0 || queue.Start > 0))
                {
                    offsets.Commit(state.Group, topic, queueId, Math.Clamp(committed, queue.Start, end));
                }

                group.Given.Raise(found.NameUtf8.Span, queueId, end);
            }
        }

        return recovered;
    }
}
