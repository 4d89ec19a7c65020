using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Queries;
using GrayMQ.Broker.Sending;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker;

/// <summary>
/// Every request that the broker answers. <c>On</c> is for what is short and frequent, <c>OnPool</c> for everything that takes its
/// time. All others are answered REQUEST_CODE_NOT_SUPPORTED.
/// </summary>
internal static class BrokerRequests
{
    public static RequestTable Table(
        SendMessageHandler sending,
        PullMessageHandler pulling,
        QueueOffsetHandler queueOffsets,
        MessageQueryHandler messages,
        HeartbeatHandler heartbeats,
        ConsumerListHandler consumerLists) => new RequestTable()
        .On(RequestCode.SendMessage, SendMessageHeader.Read, sending.HandleAsync)
        .On(RequestCode.SendMessageV2, SendMessageHeader.ReadV2, sending.HandleAsync)
        .On(RequestCode.SendBatchMessage, SendMessageHeader.ReadV2, sending.HandleAsync)

        .On<PullMessageHeader>(RequestCode.PullMessage, pulling.HandleAsync)
        .On<PullMessageHeader>(RequestCode.LitePullMessage, pulling.HandleAsync)

        .On<QueueHeader>(RequestCode.GetMaxOffset, queueOffsets.MaxAsync)
        .On<QueueHeader>(RequestCode.GetMinOffset, queueOffsets.MinAsync)
        .OnPool<SearchOffsetHeader>(RequestCode.SearchOffsetByTimestamp, queueOffsets.SearchAsync)
        .OnPool<QueueHeader>(RequestCode.GetEarliestMessageStoreTime, queueOffsets.EarliestStoreTimeAsync)
        .OnPool<ViewMessageHeader>(RequestCode.ViewMessageById, messages.ViewAsync)
        .OnPool<QueryMessageHeader>(RequestCode.QueryMessage, messages.QueryAsync)

        .On<NoHeader>(RequestCode.Heartbeat, heartbeats.HeartbeatAsync)
        .On<UnregisterClientHeader>(RequestCode.UnregisterClient, heartbeats.UnregisterAsync)
        .On<GetConsumerListByGroupHeader>(RequestCode.GetConsumerListByGroup, consumerLists.HandleAsync);
}
