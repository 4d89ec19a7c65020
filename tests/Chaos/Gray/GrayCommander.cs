using System.Diagnostics;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Errors;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Chaos.Gray;

/// <summary>Gives commands to a cluster of which any process may be gone at any moment, until they are carried out.</summary>
internal sealed class GrayCommander(AdminClient admin, IReadOnlyList<string> brokers)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(600);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private long _newest;

    public Task EnableAsync(string topic, CancellationToken cancel) => CommandAsync(
        new GrayCommand { Action = GrayAction.EnableTopic, Topic = topic },
        snapshot => snapshot.FindTopic(topic) is { State: not GrayTopicState.Off },
        snapshot => snapshot.FindTopic(topic) is { State: GrayTopicState.On },
        cancel);

    public Task DisableAsync(string topic, CancellationToken cancel) => CommandAsync(
        new GrayCommand { Action = GrayAction.DisableTopic, Topic = topic },
        snapshot => snapshot.FindTopic(topic) is not { State: not GrayTopicState.Off },
        snapshot => snapshot.FindTopic(topic) is not { State: not GrayTopicState.Off },
        cancel);

    public Task OpenAsync(string group, CancellationToken cancel) => CommandAsync(
        new GrayCommand { Action = GrayAction.Open, Group = group },
        snapshot => snapshot.FindOpen(group, GrayReleaseKind.Consumer) is not null,
        snapshot => snapshot.FindOpen(group, GrayReleaseKind.Consumer) is not null,
        cancel);

    public Task AddRuleAsync(string group, string glob, CancellationToken cancel) => CommandAsync(
        new GrayCommand { Action = GrayAction.AddRule, Group = group, ClientGlob = glob },
        snapshot => HasRule(snapshot, group, glob),
        snapshot => HasRule(snapshot, group, glob),
        cancel);

    /// <summary>Ends a release; returns when all brokers have done their part.</summary>
    public Task EndAsync(string group, Ending ending, CancellationToken cancel) => CommandAsync(
        new GrayCommand
        {
            Action = ending == Ending.Withdraw ? GrayAction.Withdraw : GrayAction.Promote,
            Group = group,
            Replace = ending == Ending.Replace,
            SkipLeftover = ending == Ending.Withdraw ? false : null,
        },
        snapshot => snapshot.FindOpen(group, GrayReleaseKind.Consumer) is not { IsEnding: false },
        snapshot => snapshot.FindOpen(group, GrayReleaseKind.Consumer) is null,
        cancel);

    /// <summary>Waits until every broker acts on the newest state, knows the clients, and hands no queue over any more.</summary>
    public async Task UntilSettledAsync(string group, int normal, int gray, CancellationToken cancel)
    {
        string missing = "";
        await UntilAsync(
            async () =>
            {
                GraySnapshot? snapshot = await FindStateAsync(cancel);
                foreach (string broker in brokers)
                {
                    BrokerGrayStatus status = await admin.GetBrokerGrayStatusAsync(broker, group, cancel: cancel);
                    int grayThere = status.Clients.Count(client => client.Gray);
                    missing = status.Version != snapshot?.Version.Version ? $"{broker} acts on version {status.Version} of {snapshot?.Version}"
                        : grayThere < gray || status.Clients.Count - grayThere < normal
                            ? $"{broker} knows {grayThere} gray clients of {status.Clients.Count}"
                        : status.Queues.Find(queue => queue.Taker is not null) is { } queue
                            ? $"{broker} hands {queue.Topic} {queue.QueueId} from {queue.Owner} to {queue.Taker} at {queue.Boundary}: {queue.Consumed} consumed, {queue.Reason}"
                        : status.Queues.Count == 0 ? $"{broker} has no queues"
                        : "";
                    if (missing.Length > 0)
                    {
                        return false;
                    }
                }

                return true;
            },
            () => Task.FromResult($"{group} does not settle: {missing}"),
            cancel);
    }

    // Never an older state than was seen before: by that, a command that is to be given would look as if it had been.
    private async Task<GraySnapshot?> FindStateAsync(CancellationToken cancel)
    {
        GraySnapshot? snapshot = await admin.FindGrayStateAsync(cancel);
        long version = snapshot?.Version.Version ?? 0;
        long newest = Interlocked.Read(ref _newest);
        while (version > newest)
        {
            long found = Interlocked.CompareExchange(ref _newest, version, newest);
            newest = found == newest ? version : found;
        }

        return version >= newest ? snapshot : throw new TimeoutException($"a name server is at version {version} still, behind {newest}");
    }

    private static bool HasRule(GraySnapshot snapshot, string group, string glob) =>
        snapshot.FindOpen(group, GrayReleaseKind.Consumer) is { } release && release.Rules.Any(rule => rule.Pattern == glob);

    private async Task CommandAsync(
        GrayCommand command, Func<GraySnapshot, bool> hasBegun, Func<GraySnapshot, bool> isDone, CancellationToken cancel)
    {
        bool begun = false;
        await UntilAsync(
            async () =>
            {
                // A name server that is behind may not know of the command yet that another one has answered.
                if (!begun && await FindStateAsync(cancel) is var before && (before is null || !hasBegun(before)))
                {
                    await admin.ChangeGrayStateAsync(command, "soak", cancel: cancel);
                }

                begun = true;
                return await FindStateAsync(cancel) is { } after && isDone(after);
            },
            async () =>
            {
                GrayStatus status = await admin.GetGrayStatusAsync(cancel);
                IEnumerable<string> parts = status.Changes.SelectMany(change => change.Parts.Where(part => !part.Done)
                    .Select(part => $"{change.Subject} {part.Broker}: {part.Remaining} messages, {part.Reason}"));
                return $"{command.Action} {command.Topic ?? command.Group} does not end: {string.Join("; ", parts)}";
            },
            cancel);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, Func<Task<string>> describe, CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        string problem = "";
        while (Stopwatch.GetElapsedTime(begun) < Limit)
        {
            try
            {
                if (await condition())
                {
                    return;
                }

                problem = "";
            }
            catch (Exception e) when (e is IOException or TimeoutException or GrayMQException)
            {
                problem = e.Message;
            }

            await Task.Delay(Pause, cancel);
        }

        throw new TimeoutException($"{await describe()} {problem}");
    }
}
