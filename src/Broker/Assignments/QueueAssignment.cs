using GrayMQ.Protocol.Allocations;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Assignments;

/// <summary>
/// Which queues of a topic a consumer gets. Queues and client ids come sorted, each once (RocketMQ: QueryAssignmentProcessor).
/// </summary>
internal static class QueueAssignment
{
    /// <summary>Stands for any queue of its broker, from which a pop takes what it finds.</summary>
    public const int AnyQueue = -1;

    private delegate IReadOnlyList<MessageQueue> Rule(
        string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds);

    /// <summary>Whether consumers may ask for this rule. Those that need to know of rooms or queues can be applied by clients only.</summary>
    public static bool IsRule(string? name) => FindRule(name) is not null;

    /// <summary>The queues of a consumer that pulls.</summary>
    /// <param name="rule">One that <see cref="IsRule"/>.</param>
    public static IReadOnlyList<MessageQueue> ForPull(
        string rule, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        FindRule(rule)!(clientId, queues, clientIds);

    /// <summary>
    /// The queues of a consumer that pops: those that it would pull and those of the <paramref name="shareNum"/> consumers behind it; or
    /// one queue where there are more consumers than queues; or, when all share all, any queue of each broker.
    /// </summary>
    /// <inheritdoc cref="ForPull"/>
    public static IReadOnlyList<MessageQueue> ForPop(
        string rule, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds, int shareNum)
    {
        if (shareNum <= 0 || shareNum >= clientIds.Count - 1)
        {
            return [.. queues.Select(queue => queue with { QueueId = AnyQueue }).Distinct()];
        }

        int index = clientIds.TakeWhile(id => id != clientId).Count();
        if (index == clientIds.Count)
        {
            return [];
        }

        return clientIds.Count > queues.Count
            ? [queues[index % queues.Count]]
            : [.. Enumerable.Range(index, shareNum + 1)
                .SelectMany(i => FindRule(rule)!(clientIds[i % clientIds.Count], queues, clientIds))
                .Distinct()
                .Order()];
    }

    private static Rule? FindRule(string? name) => name switch
    {
        QueueShares.AverageName => QueueShares.Average,
        QueueShares.AverageByCircleName => QueueShares.AverageByCircle,
        QueueShares.ConsistentHashName => static (clientId, queues, clientIds) =>
            QueueShares.ConsistentHash(clientId, queues, clientIds),
        _ => null,
    };
}
