using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Gray.Progress;

/// <summary>Finds out what a broker's report means for the changes that are under way. Pure.</summary>
internal static class GrayParts
{
    /// <summary>
    /// What is new by a report: parts that are done, and parts of brokers that came after the change began, who owe to it as well.
    /// </summary>
    public static IReadOnlyList<GrayPart> News(GrayView view, GrayProgress progress)
    {
        var parts = new List<GrayPart>();
        foreach (GrayOngoing change in view.Changes)
        {
            bool owes = change.Parts.TryGetValue(progress.Broker, out bool wasDone);
            bool done = IsDone(view, change, progress);

            // Who has not even heard of a topic's switching on does not hold it up, but for brokers that owed from the start.
            if ((owes && done && !wasDone) || (!owes && GrayNames.TopicOf(change.Name) is null))
            {
                parts.Add(new GrayPart(change.Name, change.Since, progress.Broker, done));
            }
        }

        return parts;
    }

    /// <summary>Whether a broker has done its part of a change.</summary>
    public static bool IsDone(GrayView view, GrayOngoing change, GrayProgress progress)
    {
        if (!progress.Version.Includes(new GrayVersion(view.Version.Epoch, change.Since)))
        {
            return false;
        }

        return GrayNames.TopicOf(change.Name) is { } topic
            ? progress.Topics.Any(each => each.Topic == topic && each.Since == change.Since && each.IsDone)
            : progress.Releases.Any(release =>
                GrayNames.Release(release.Group, release.Kind) == change.Name
                && release.Since == change.Since
                && release.State == (change.Action == GrayAction.Promote ? GrayReleaseState.Promoting : GrayReleaseState.Withdrawing)
                && release.IsDone);
    }

    /// <summary>A broker's part, for people.</summary>
    public static GrayStatusOfPart Describe(GrayView view, GrayOngoing change, string broker, GrayProgress? progress)
    {
        if (change.Parts.GetValueOrDefault(broker))
        {
            return new GrayStatusOfPart { Broker = broker, Done = true };
        }

        if (progress is null)
        {
            return new GrayStatusOfPart { Broker = broker, Remaining = -1, Reason = "it has not reported since this name server began" };
        }

        if (!progress.Version.Includes(new GrayVersion(view.Version.Epoch, change.Since)))
        {
            return new GrayStatusOfPart
            {
                Broker = broker,
                Remaining = -1,
                Reason = progress.Version.IsNone
                    ? $"it has no gray state yet, the change began with version {change.Since}"
                    : $"it acts on version {progress.Version}, the change began with version {change.Since}",
            };
        }

        if (GrayNames.TopicOf(change.Name) is { } topic)
        {
            GrayTopicProgress? of = progress.Topics.FirstOrDefault(each => each.Topic == topic && each.Since == change.Since);
            return new GrayStatusOfPart { Broker = broker, Remaining = -1, Reason = of?.Reason ?? "it has not said that it is done" };
        }

        GrayQueueProgress[] queues =
        [
            .. progress.Queues.Where(
                queue => queue.IsHandedOver && queue.Group == GrayNames.SubjectOf(change.Name) && queue.Consumed < queue.Boundary),
        ];
        return new GrayStatusOfPart
        {
            Broker = broker,
            Remaining = queues.Sum(queue => Math.Max(0, queue.Boundary - Math.Max(0, queue.Consumed))),
            Reason = queues.FirstOrDefault(queue => queue.Reason is not null) is { } stuck
                ? $"queue {stuck.Queue} of {stuck.Topic}: {stuck.Reason}"
                : queues.Length > 0
                    ? $"{queues.Length} queues have not reached their boundary"
                    : "it has not said that it is done",
        };
    }
}
