using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMachineRoomNearby.</summary>
internal sealed class MachineRoomNearbyAllocation(
    IQueueAllocation within, Func<MessageQueue, string> roomOfQueue, Func<string, string> roomOfClient) : IQueueAllocation
{
    public string Name => $"MACHINE_ROOM_NEARBY-{within.Name}";

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        if (!clientIds.Contains(clientId))
        {
            return [];
        }

        ILookup<string, string> clients = clientIds.ToLookup(id => Require(roomOfClient(id), id), StringComparer.Ordinal);
        string ownRoom = roomOfClient(clientId);
        var allocated = new List<MessageQueue>();
        var foreign = new List<MessageQueue>();

        // Rooms in the order of their names, as all clients of the group take them.
        foreach (IGrouping<string, MessageQueue> room in queues
            .GroupBy(queue => Require(roomOfQueue(queue), queue.ToString()))
            .OrderBy(room => room.Key, StringComparer.Ordinal))
        {
            if (room.Key == ownRoom)
            {
                allocated.AddRange(within.Allocate(group, clientId, [.. room], [.. clients[ownRoom]]));
            }
            else if (!clients.Contains(room.Key))
            {
                foreign.AddRange(within.Allocate(group, clientId, [.. room], clientIds));
            }
        }

        return [.. allocated, .. foreign];
    }

    private static string Require(string? room, string of) =>
        string.IsNullOrEmpty(room) ? throw new InvalidOperationException($"{of} has no machine room") : room;
}
