using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>Switches topics on and off. Pure: state, command and facts in, decision out.</summary>
internal static class TopicCommands
{
    /// <summary>Announces that a topic will be gray; it goes live when all its brokers have acknowledged it.</summary>
    public static GrayDecision Enable(GrayView view, GrayCommand command, GrayFacts facts)
    {
        string name = command.Topic!;
        int size = command.Size ?? GrayQueues.DefaultSize;
        if (facts.IsSystemTopic || IsReserved(name))
        {
            return GrayDecision.Refuse($"topic {name} cannot be gray: it is a system, retry or dead letter topic");
        }

        if (facts.Queues.Count == 0)
        {
            return GrayDecision.Refuse($"topic {name} does not exist", ResponseCode.TopicNotExist);
        }

        // With queues that are read only a topic shrinks: then its number is about to change. A broker that has just come looks the same for
        // as long as it warms up.
        int[] counts = [.. facts.Queues.SelectMany(queues => (int[])[queues.ReadQueueNums, queues.WriteQueueNums]).Distinct()];
        if (counts.Length > 1)
        {
            return GrayDecision.Refuse(
                $"topic {name} has not the same number of queues everywhere ("
                + string.Join(", ", facts.Queues.Select(at => $"{at.BrokerName}: {at.ReadQueueNums} read, {at.WriteQueueNums} written"))
                + "): a gray topic needs it; a broker that warms up shows all its queues soon");
        }

        if (GrayQueues.Problem(counts[0], size) is { } problem)
        {
            return GrayDecision.Refuse($"topic {name}: {problem}");
        }

        string[] brokers = [.. facts.Queues.Select(at => at.BrokerName)];
        if (facts.Unaware(brokers) is { } unaware)
        {
            return GrayDecision.Refuse(unaware);
        }

        if (view.FindChange(GrayNames.ChangeOfTopic(name)) is { } ongoing)
        {
            return GrayDecision.Refuse(
                ongoing.Action == GrayAction.EnableTopic
                    ? $"topic {name} is being switched on already"
                    : $"topic {name} is being switched off: wait, or force it");
        }

        if (view.FindTopic(name) is { State: GrayTopicState.On } on)
        {
            return on.Queues == counts[0] && on.Size == size
                ? GrayDecision.Refuse($"topic {name} is on already")
                : GrayDecision.Refuse(
                    $"topic {name} is on with {on.Size} gray of {on.Queues} queues: switch it off before it is given {size} of {counts[0]}");
        }

        if (view.Snapshot.Topics.Count >= GrayLimits.MaxTopics)
        {
            return GrayDecision.Refuse($"{view.Snapshot.Topics.Count} topics are gray, which is the limit");
        }

        long since = view.Version.Version + 1;
        return GrayDecision.Done($"topic {name} is being switched on with {size} gray of {counts[0]} queues at {Names(brokers)}")
            .Put(new GrayTopic
            {
                Name = name,
                Queues = counts[0],
                Size = size,
                State = GrayTopicState.Enabling,
                Since = since,
                ChangedMs = facts.NowMs,
                ChangedBy = facts.By,
            })
            .Begin(GrayNames.ChangeOfTopic(name), GrayAction.EnableTopic, since, facts.NowMs, brokers);
    }

    /// <summary>Switches a topic off: gray messages go to normal queues at once.</summary>
    public static GrayDecision Disable(GrayView view, GrayCommand command, GrayFacts facts)
    {
        string name = command.Topic!;
        GrayTopic? topic = view.FindTopic(name);
        if (topic is null)
        {
            return GrayDecision.Refuse($"topic {name} is not gray");
        }

        if (topic.State != GrayTopicState.On)
        {
            return GrayDecision.Refuse(
                topic.State == GrayTopicState.Enabling
                    ? $"topic {name} is being switched on: wait, or cancel it"
                    : $"topic {name} is being switched off already");
        }

        long since = view.Version.Version + 1;
        string[] brokers = [.. facts.Queues.Select(at => at.BrokerName).Union(facts.Registered.Count == 0 ? [] : view.Brokers)];
        GrayDecision decision = GrayDecision.Done($"topic {name} is being switched off")
            .Put(topic with { State = GrayTopicState.Off, Since = since, ChangedMs = facts.NowMs, ChangedBy = facts.By });
        return brokers.Length == 0
            ? GrayDecision.Done($"topic {name} is off: no broker has it").RemoveTopic(name)
            : decision.Begin(GrayNames.ChangeOfTopic(name), GrayAction.DisableTopic, since, facts.NowMs, brokers);
    }

    /// <summary>Takes back a topic's switching on.</summary>
    public static GrayDecision Cancel(GrayView view, GrayCommand command)
    {
        string name = command.Topic!;
        return view.FindChange(GrayNames.ChangeOfTopic(name)) switch
        {
            { Action: GrayAction.EnableTopic } change =>
                GrayDecision.Done($"topic {name} stays off").End(change.Name).RemoveTopic(name),
            { } => GrayDecision.Refuse($"topic {name} is being switched off: that cannot be taken back, switch it on again when it is off"),
            null => GrayDecision.Refuse($"nothing is under way with topic {name}"),
        };
    }

    /// <summary>Does not wait for brokers that have not acknowledged.</summary>
    public static GrayDecision Force(GrayView view, GrayCommand command, GrayFacts facts)
    {
        string name = command.Topic!;
        if (view.FindChange(GrayNames.ChangeOfTopic(name)) is not { } change)
        {
            return GrayDecision.Refuse($"nothing is under way with topic {name}");
        }

        string given = change.Owing.Any() ? $" without {Names(change.Owing)}" : "";
        string[] gone = [.. change.Owing.Except(facts.Registered, StringComparer.Ordinal)];
        return End(view, change, facts.NowMs, facts.By, given).Forget(gone);
    }

    /// <summary>Ends what all brokers have done their part of.</summary>
    public static GrayDecision End(GrayView view, GrayOngoing change, long nowMs, string by, string how = "")
    {
        string name = GrayNames.SubjectOf(change.Name);
        if (change.Action == GrayAction.DisableTopic)
        {
            return GrayDecision.Done($"topic {name} is off{how}").End(change.Name).RemoveTopic(name);
        }

        GrayTopic topic = view.FindTopic(name)!;
        return GrayDecision.Done($"topic {name} is on{how}").End(change.Name).Put(
            topic with { State = GrayTopicState.On, Since = view.Version.Version + 1, ChangedMs = nowMs, ChangedBy = by });
    }

    private static bool IsReserved(string name) =>
        name.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal)
        || name.StartsWith(TopicNames.DeadLetterPrefix, StringComparison.Ordinal)
        || name.StartsWith(TopicNames.SystemPrefix, StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(TopicNames.ReplySuffix, StringComparison.Ordinal)
        || name is TopicNames.AutoCreateTemplate or TopicNames.SelfTest or TopicNames.Benchmark or TopicNames.OffsetMovedEvent
            or TopicNames.Schedule or TopicNames.TransactionChecksExceeded or TopicNames.CheckPoint;

    private static string Names(IEnumerable<string> brokers) => string.Join(", ", brokers.Order(StringComparer.Ordinal));
}
