using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Where a master is missing and writes are off, the lowest slave is named as master, to be read from (RocketMQ:
/// supportActingMaster).
/// </summary>
internal static class ActingMaster
{
    /// <summary>These topics tell the nodes of a group apart, so that nobody may act in them (RocketMQ: TopicValidator).</summary>
    private const string SyncMemberTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

    public static void NameIn(TopicRouteData route, string topic)
    {
        if (topic.StartsWith(SyncMemberTopicPrefix, StringComparison.Ordinal))
        {
            return;
        }

        foreach (BrokerData broker in route.BrokerDatas)
        {
            QueueData queues = route.QueueDatas.First(queue => queue.BrokerName == broker.BrokerName);
            if (broker.EnableActingMaster
                && broker.BrokerAddrs.Count > 0
                && !broker.BrokerAddrs.ContainsKey(BrokerData.MasterId)
                && !TopicPermission.IsWritable(queues.Perm))
            {
                long lowest = broker.BrokerAddrs.Keys.Min();
                broker.BrokerAddrs.Remove(lowest, out string? address);
                broker.BrokerAddrs[BrokerData.MasterId] = address!;
            }
        }
    }
}
