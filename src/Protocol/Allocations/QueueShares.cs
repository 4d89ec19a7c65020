using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Protocol.Allocations;

/// <summary>
/// RocketMQ's rules to share the queues of a topic out among the consumers of a group, for consumers that do it themselves and for
/// brokers that do it for them: all have to come to the same result. Queues and client ids come sorted, ids by their UTF-16 code
/// units and each once; who is not among them gets nothing.
/// </summary>
public static class QueueShares
{
    /// <summary>The name of <see cref="Average"/>.</summary>
    public const string AverageName = "AVG";

    /// <summary>The name of <see cref="AverageByCircle"/>.</summary>
    public const string AverageByCircleName = "AVG_BY_CIRCLE";

    /// <summary>The name of <see cref="ConsistentHash"/>.</summary>
    public const string ConsistentHashName = "CONSISTENT_HASH";

    /// <summary>Points of each consumer on the ring of <see cref="ConsistentHash"/> unless its user says otherwise.</summary>
    public const int DefaultVirtualNodes = 10;

    /// <summary>
    /// Contiguous runs of queues, the first consumers getting one more where they do not divide evenly
    /// (RocketMQ: AllocateMessageQueueAveragely).
    /// </summary>
    public static IReadOnlyList<MessageQueue> Average(
        string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        int index = IndexOf(clientIds, clientId);
        if (index < 0)
        {
            return [];
        }

        (int share, int extra) = Math.DivRem(queues.Count, clientIds.Count);
        int start = (index * share) + Math.Min(index, extra);
        int count = share + (index < extra ? 1 : 0);
        return [.. queues.Skip(start).Take(count)];
    }

    /// <summary>Queues dealt out one by one (RocketMQ: AllocateMessageQueueAveragelyByCircle).</summary>
    public static IReadOnlyList<MessageQueue> AverageByCircle(
        string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        int index = IndexOf(clientIds, clientId);
        return index < 0 ? [] : [.. queues.Where((_, i) => i % clientIds.Count == index)];
    }

    /// <summary>
    /// Consumers stand at several points of a ring of 32-bit numbers, and a queue goes to the next point at or above its own. A
    /// point is the first four bytes of an MD5: of <c>clientId-i</c> for consumers, of Java's text form of the queue for queues
    /// (RocketMQ: AllocateMessageQueueConsistentHash, ConsistentHashRouter).
    /// </summary>
    public static IReadOnlyList<MessageQueue> ConsistentHash(
        string clientId,
        IReadOnlyList<MessageQueue> queues,
        IReadOnlyList<string> clientIds,
        int virtualNodes = DefaultVirtualNodes)
    {
        if (IndexOf(clientIds, clientId) < 0)
        {
            return [];
        }

        // Where two points meet, the later one stands.
        var ring = new SortedDictionary<uint, string>();
        foreach (string id in clientIds)
        {
            for (int i = 0; i < virtualNodes; i++)
            {
                ring[PointOf(string.Create(CultureInfo.InvariantCulture, $"{id}-{i}"))] = id;
            }
        }

        uint[] points = [.. ring.Keys];
        return [.. queues.Where(queue => ring[NextPoint(points, PointOf(TextOf(queue)))] == clientId)];
    }

    private static uint NextPoint(uint[] points, uint point)
    {
        int at = Array.BinarySearch(points, point);
        int next = at < 0 ? ~at : at;
        return points[next == points.Length ? 0 : next];
    }

    private static string TextOf(MessageQueue queue) => string.Create(
        CultureInfo.InvariantCulture,
        $"MessageQueue [topic={queue.Topic}, brokerName={queue.BrokerName}, queueId={queue.QueueId}]");

    [SuppressMessage("Security", "CA5351", Justification = "Spreads points; all clients of a group have to agree on them.")]
    private static uint PointOf(string key) =>
        BinaryPrimitives.ReadUInt32BigEndian(MD5.HashData(Encoding.UTF8.GetBytes(key)));

    private static int IndexOf(IReadOnlyList<string> clientIds, string clientId)
    {
        for (int i = 0; i < clientIds.Count; i++)
        {
            if (clientIds[i] == clientId)
            {
                return i;
            }
        }

        return -1;
    }
}
