using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueByMachineRoom.</summary>
internal sealed class MachineRoomAllocation(IEnumerable<string> rooms) : IQueueAllocation
{
    private readonly HashSet<string> _rooms = new(rooms, StringComparer.Ordinal);

    public string Name => "MACHINE_ROOM";

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        int index = clientIds.IndexOf(clientId);
        if (index < 0)
        {
            return [];
        }

        MessageQueue[] inRooms = [.. queues.Where(IsInRooms)];
        (int share, int extra) = Math.DivRem(inRooms.Length, clientIds.Count);
        IEnumerable<MessageQueue> own = inRooms.Skip(index * share).Take(share);

        // What does not divide evenly comes from the end, one queue for each of the first consumers.
        return index < extra ? [.. own, inRooms[index + (share * clientIds.Count)]] : [.. own];
    }

    private bool IsInRooms(MessageQueue queue) =>
        queue.BrokerName.Split('@') is [var room, { Length: > 0 }] && _rooms.Contains(room);
}
