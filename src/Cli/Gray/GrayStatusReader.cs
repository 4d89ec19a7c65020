using GrayMQ.Cli.Tools;
using GrayMQ.Client.Errors;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Cli.Gray;

/// <summary>Puts together what name server and brokers know of the gray state.</summary>
internal static class GrayStatusReader
{
    private const string GraySide = "gray";
    private const string NormalSide = "normal";

    // A release has ended its side: it is given nothing until it is gone.
    private const string NoSide = "none";
    private const string Retired = "retired";

    /// <param name="subject">Only this group or topic; null for all.</param>
    /// <exception cref="CommandFailure">There is nothing of this name in the state.</exception>
    public static async Task<GrayStatusView> ReadAsync(ToolRun run, string? subject, CancellationToken cancel)
    {
        GrayStatus status = await run.Cluster.Admin.GetGrayStatusAsync(cancel).ConfigureAwait(false);
        GraySnapshot? snapshot = await run.Cluster.Admin.FindGrayStateAsync(cancel).ConfigureAwait(false);
        IReadOnlyList<BrokerNode> nodes = await run.Cluster.BrokersAsync(cancel).ConfigureAwait(false);
        (BrokerNode Node, BrokerGrayStatus? Status, string? Problem)[] brokers = await Task.WhenAll(nodes
            .Where(node => node.Id == BrokerData.MasterId)
            .Select(node => AskAsync(run, node, cancel))).ConfigureAwait(false);
        GrayTopicView[] topics = [.. (snapshot?.Topics ?? []).Where(topic => Is(topic.Name)).Select(ToView)];
        GrayReleaseView[] releases = [.. (snapshot?.Releases ?? []).Where(release => Is(release.Group)).Select(ToView)];
        if (subject is not null && topics.Length + releases.Length == 0)
        {
            throw CommandFailure.NotFound($"there is no gray topic {subject}, and no release of a group {subject}");
        }

        return new GrayStatusView(
            status.Epoch,
            status.Version,
            status.DatabaseProblem,
            topics,
            releases,
            [
                .. status.Changes.Where(change => Is(change.Subject)).SelectMany(change => change.Parts.Select(
                    part => new GrayPartView(change.Subject, NameOf(change.Action), part.Broker, part.Done, part.Remaining, part.Reason))),
            ],
            [
                .. brokers.SelectMany(broker => broker.Status?.Clients ?? [])
                    .Where(client => Is(client.Group))
                    .Select(client => new GrayClientView(
                        client.Group,
                        client.Producer ? "producer" : "consumer",
                        client.ClientId,
                        client.Address,
                        client.Because == Retired ? NoSide : client.Gray ? GraySide : NormalSide,
                        client.Because))
                    .DistinctBy(client => (client.Group, client.Kind, client.ClientId, client.Side))
                    .OrderBy(client => client.Group, StringComparer.Ordinal)
                    .ThenBy(client => client.Side, StringComparer.Ordinal)
                    .ThenBy(client => client.ClientId, StringComparer.Ordinal),
            ],
            [
                .. brokers.SelectMany(broker => (broker.Status?.Queues ?? []).Select(queue => ToView(broker.Node.Name, queue)))
                    .Where(queue => Is(queue.Group) || Is(queue.Topic))
                    .OrderBy(queue => queue.Group, StringComparer.Ordinal)
                    .ThenBy(queue => queue.Topic, StringComparer.Ordinal)
                    .ThenBy(queue => queue.Broker, StringComparer.Ordinal)
                    .ThenBy(queue => queue.Queue),
            ],
            [
                .. brokers.SelectMany(broker => (broker.Status?.GivenUp ?? []).Select(
                        each => new GrayGivenUpView(each.Group, broker.Node.Name, each.Generation, each.Count)))
                    .Where(each => Is(each.Group))
                    .OrderBy(each => each.Group, StringComparer.Ordinal)
                    .ThenBy(each => each.Release)
                    .ThenBy(each => each.Broker, StringComparer.Ordinal),
            ],
            [
                .. status.Brokers.Select(broker => new GrayBrokerView(
                    broker.Name,
                    broker.Version,
                    broker.ReportedAt,
                    brokers.FirstOrDefault(asked => asked.Node.Name == broker.Name) is { Node: not null } found
                        ? found.Problem
                        : "it is not registered")),
            ],
            status.Warnings);

        bool Is(string name) => subject is null || subject == name;
    }

    private static async Task<(BrokerNode Node, BrokerGrayStatus? Status, string? Problem)> AskAsync(
        ToolRun run, BrokerNode node, CancellationToken cancel)
    {
        try
        {
            return (node, await run.Cluster.Admin.GetBrokerGrayStatusAsync(node.Address, cancel: cancel).ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is IOException or TimeoutException or BrokerException)
        {
            return (node, null, e.Message);
        }
    }

    private static GrayTopicView ToView(GrayTopic topic) => new(
        topic.Name,
        topic.State.ToString().ToLowerInvariant(),
        topic.Queues,
        new GrayQueues(topic.Queues, topic.Size).Gray,
        topic.ChangedMs,
        topic.ChangedBy);

    private static GrayReleaseView ToView(GrayRelease release) => new(
        release.Group,
        release.Kind.ToString().ToLowerInvariant(),
        release.Generation,
        release.State.ToString().ToLowerInvariant(),
        (release.Promotion?.ToString() ?? release.Leftover?.ToString())?.ToLowerInvariant(),
        release.Rules.Count,
        release.Clients.Count,
        release.Forced,
        release.ChangedMs,
        release.ChangedBy);

    private static GrayQueueView ToView(string broker, GrayQueueStatus queue)
    {
        bool isHandedOver = queue.Taker is not null;
        long end = isHandedOver ? queue.Boundary : queue.MaxOffset;
        return new GrayQueueView(
            queue.Group,
            queue.Topic,
            broker,
            queue.QueueId,
            queue.Owner.ToLowerInvariant(),
            queue.Consumed,
            isHandedOver ? queue.Boundary : null,
            queue.Taker?.ToLowerInvariant(),
            queue.MaxOffset,
            Math.Max(0, end - Math.Max(0, queue.Consumed)),
            queue.Reason);
    }

    private static string NameOf(GrayAction action) => action switch
    {
        GrayAction.EnableTopic => "enable",
        GrayAction.DisableTopic => "disable",
        GrayAction.Promote => "promote",
        GrayAction.Withdraw => "withdraw",
        _ => action.ToString(),
    };
}
