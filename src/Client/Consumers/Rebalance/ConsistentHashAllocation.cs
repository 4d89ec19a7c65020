using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>
/// Consumers stand at several points of a ring of 32-bit numbers, and a queue goes to the next point at or above its own. A
/// point is the first four bytes of an MD5: of <c>clientId-i</c> for consumers, of Java's text form of the queue for queues
/// (RocketMQ: AllocateMessageQueueConsistentHash, ConsistentHashRouter).
/// </summary>
internal sealed class ConsistentHashAllocation : IQueueAllocation
{
    public const int DefaultVirtualNodes = 10;

    private readonly int _virtualNodes;

    public ConsistentHashAllocation(int virtualNodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(virtualNodes);
        _virtualNodes = virtualNodes;
    }

    public string Name => "CONSISTENT_HASH";

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        if (!clientIds.Contains(clientId))
        {
            return [];
        }

        // Where two points meet, the later one stands.
        var ring = new SortedList<uint, string>(clientIds.Count * _virtualNodes);
        foreach (string id in clientIds)
        {
            for (int i = 0; i < _virtualNodes; i++)
            {
                ring[PointOf(string.Create(CultureInfo.InvariantCulture, $"{id}-{i}"))] = id;
            }
        }

        return [.. queues.Where(queue => OwnerOf(ring, queue) == clientId)];
    }

    private static string OwnerOf(SortedList<uint, string> ring, MessageQueue queue)
    {
        uint point = PointOf(string.Create(
            CultureInfo.InvariantCulture,
            $"MessageQueue [topic={queue.Topic}, brokerName={queue.BrokerName}, queueId={queue.QueueId}]"));
        IList<uint> points = ring.Keys;
        int low = 0;
        int high = points.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (points[middle] < point)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return ring.Values[low == points.Count ? 0 : low];
    }

    [SuppressMessage("Security", "CA5351", Justification = "Spreads points; all clients of a group have to agree on them.")]
    private static uint PointOf(string key) =>
        BinaryPrimitives.ReadUInt32BigEndian(MD5.HashData(Encoding.UTF8.GetBytes(key)));
}
