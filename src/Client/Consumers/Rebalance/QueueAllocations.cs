using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ's rules to share queues out: they give what its Java clients compute, so that both can be in one group.</summary>
public static class QueueAllocations
{
    /// <summary>AVG: contiguous runs of queues, the first consumers getting one more where they do not divide evenly.</summary>
    public static IQueueAllocation Average { get; } = new AverageAllocation();

    /// <summary>AVG_BY_CIRCLE: queues dealt out one by one.</summary>
    public static IQueueAllocation AverageByCircle { get; } = new AverageByCircleAllocation();

    /// <summary>CONFIG: the queues given, whoever else there is.</summary>
    public static IQueueAllocation Configured(IEnumerable<MessageQueue> queues) => new ConfiguredAllocation([.. queues]);

    /// <summary>CONSISTENT_HASH: a ring on which a consumer that comes or goes moves only its neighbours' queues.</summary>
    /// <param name="virtualNodes">Points of each consumer on the ring.</param>
    public static IQueueAllocation ConsistentHash(int virtualNodes = ConsistentHashAllocation.DefaultVirtualNodes) =>
        new ConsistentHashAllocation(virtualNodes);

    /// <summary>MACHINE_ROOM: only queues of brokers named <c>room@name</c> of the rooms given, in even shares.</summary>
    public static IQueueAllocation MachineRoom(IEnumerable<string> rooms) => new MachineRoomAllocation(rooms);

    /// <summary>
    /// MACHINE_ROOM_NEARBY: queues go to consumers of their own room; those of rooms without a consumer are shared by all.
    /// </summary>
    /// <param name="within">How queues are shared among the consumers that may have them.</param>
    /// <param name="roomOfQueue">The room of a queue's broker; not empty.</param>
    /// <param name="roomOfClient">The room of a consumer, by its client id; not empty.</param>
    public static IQueueAllocation MachineRoomNearby(
        IQueueAllocation within, Func<MessageQueue, string> roomOfQueue, Func<string, string> roomOfClient) =>
        new MachineRoomNearbyAllocation(within, roomOfQueue, roomOfClient);
}
