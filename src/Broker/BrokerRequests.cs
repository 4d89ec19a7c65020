using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Maintenance;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Queries;
using GrayMQ.Broker.Replies;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
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
        EndTransactionHandler ends,
        ResumeCheckHandler resumedChecks,
        TransactionListHandler transactionLists,
        SendBackHandler sendBack,
        ReplyHandler replies,
        PullMessageHandler pulling,
        PopMessageHandler popping,
        AckHandler acks,
        PopQueryHandler popQueries,
        PopsInFlightHandler popsInFlight,
        FilterStatsHandler filterStats,
        RecallHandler recalls,
        TimerQueryHandler timers,
        QueueOffsetHandler queueOffsets,
        MessageQueryHandler messages,
        HeartbeatHandler heartbeats,
        ConsumerListHandler consumerLists,
        TopicHandler topics,
        SubscriptionGroupHandler groups,
        ConsumerOffsetHandler offsets,
        OffsetAdminHandler offsetAdmin,
        ResetOffsetHandler resetOffset,
        ExportHandler export,
        ClientQueryHandler clients,
        ConsumerCallHandler consumerCalls,
        QueueLockHandler locks,
        AssignmentHandler assignments,
        GrayStatusHandler grayStatus,
        ConsumeStatsHandler consumeStats,
        TopicStatsHandler topicStats,
        RuntimeInfoHandler runtimeInfo,
        BrokerConfigHandler configuration,
        CleanupHandler cleanups,
        LifecycleHandler lifecycle) => new RequestTable()
        .On(RequestCode.SendMessage, SendMessageHeader.Read, sending.HandleAsync)
        .On(RequestCode.SendMessageV2, SendMessageHeader.ReadV2, sending.HandleAsync)
        .On(RequestCode.SendBatchMessage, SendMessageHeader.ReadV2, sending.HandleAsync)
        .On<EndTransactionHeader>(RequestCode.EndTransaction, ends.HandleAsync)
        .OnPool<ResumeCheckHalfMessageHeader>(RequestCode.ResumeCheckHalfMessage, resumedChecks.HandleAsync)
        .OnPool<ListTransactionsHeader>(RequestCode.ListTransactions, transactionLists.HandleAsync)
        .OnPool<ConsumerSendMessageBackHeader>(RequestCode.ConsumerSendMessageBack, sendBack.HandleAsync)
        .On(RequestCode.SendReplyMessage, SendMessageHeader.Read, replies.HandleAsync)
        .On(RequestCode.SendReplyMessageV2, SendMessageHeader.ReadV2, replies.HandleAsync)

        .On<PullMessageHeader>(RequestCode.PullMessage, pulling.HandleAsync)
        .On<PullMessageHeader>(RequestCode.LitePullMessage, pulling.HandleAsync)

        .On<PopMessageHeader>(RequestCode.PopMessage, popping.PopAsync)
        .On<AckMessageHeader>(RequestCode.AckMessage, acks.AckAsync)
        .On<NoHeader>(RequestCode.BatchAckMessage, acks.BatchAckAsync)
        .On<ChangeInvisibleTimeHeader>(RequestCode.ChangeMessageInvisibleTime, acks.ChangeInvisibleTimeAsync)
        .On<NotificationHeader>(RequestCode.Notification, popping.NotifyAsync)
        .On<PollingInfoHeader>(RequestCode.PollingInfo, popQueries.PollingInfoAsync)
        .OnPool<GroupHeader>(RequestCode.ShowPopsInFlight, popsInFlight.HandleAsync)
        .On<PeekMessageHeader>(RequestCode.PeekMessage, popQueries.PeekAsync)

        .OnPool<TopicHeader>(RequestCode.ShowFilters, filterStats.HandleAsync)

        .OnPool<RecallMessageHeader>(RequestCode.RecallMessage, recalls.HandleAsync)
        .OnPool<NoHeader>(RequestCode.GetTimerCheckPoint, timers.CheckPointAsync)
        .OnPool<NoHeader>(RequestCode.GetTimerMetrics, timers.MetricsAsync)
        .OnPool<NoHeader>(RequestCode.ShowTimers, timers.ShowAsync)

        .On<QueueHeader>(RequestCode.GetMaxOffset, queueOffsets.MaxAsync)
        .On<QueueHeader>(RequestCode.GetMinOffset, queueOffsets.MinAsync)
        .OnPool<SearchOffsetHeader>(RequestCode.SearchOffsetByTimestamp, queueOffsets.SearchAsync)
        .OnPool<QueueHeader>(RequestCode.GetEarliestMessageStoreTime, queueOffsets.EarliestStoreTimeAsync)
        .OnPool<ViewMessageHeader>(RequestCode.ViewMessageById, messages.ViewAsync)
        .OnPool<QueryMessageHeader>(RequestCode.QueryMessage, messages.QueryAsync)

        .On<QueryConsumerOffsetHeader>(RequestCode.QueryConsumerOffset, offsets.QueryAsync)
        .On<UpdateConsumerOffsetHeader>(RequestCode.UpdateConsumerOffset, offsets.UpdateAsync)
        .OnPool<NoHeader>(RequestCode.GetAllConsumerOffset, offsetAdmin.GetAllAsync)
        .OnPool<GroupHeader>(RequestCode.QueryTopicsByConsumer, offsetAdmin.GetTopicsAsync)
        .OnPool<QueryCorrectionOffsetHeader>(RequestCode.QueryCorrectionOffset, offsetAdmin.CorrectAsync)
        .OnPool<CloneGroupOffsetHeader>(RequestCode.CloneGroupOffset, offsetAdmin.CloneAsync)
        .OnPool<ResetOffsetHeader>(RequestCode.InvokeBrokerToResetOffset, resetOffset.HandleAsync)

        .OnPool<CreateTopicHeader>(RequestCode.UpdateAndCreateTopic, topics.PutAsync)
        .OnPool<NoHeader>(RequestCode.UpdateAndCreateTopicList, topics.PutListAsync)
        .OnPool<TopicHeader>(RequestCode.DeleteTopicInBroker, topics.DeleteAsync)
        .OnPool<NoHeader>(RequestCode.GetAllTopicConfig, topics.GetAllAsync)
        .OnPool<TopicHeader>(RequestCode.GetTopicConfig, topics.GetAsync)
        .OnPool<NoHeader>(RequestCode.GetSystemTopicListFromBroker, topics.GetSystemTopicsAsync)

        .OnPool<NoHeader>(RequestCode.UpdateAndCreateSubscriptionGroup, groups.PutAsync)
        .OnPool<NoHeader>(RequestCode.UpdateAndCreateSubscriptionGroupList, groups.PutListAsync)
        .OnPool<DeleteSubscriptionGroupHeader>(RequestCode.DeleteSubscriptionGroup, groups.DeleteAsync)
        .OnPool<NoHeader>(RequestCode.GetAllSubscriptionGroupConfig, groups.GetAllAsync)
        .OnPool<GroupHeader>(RequestCode.GetSubscriptionGroupConfig, groups.GetAsync)
        .OnPool<UpdateGroupForbiddenHeader>(RequestCode.UpdateAndGetGroupForbidden, groups.ForbidAsync)

        .OnPool<ExportConfigHeader>(RequestCode.ExportRocksDBConfigToJson, export.HandleAsync)

        .On<NoHeader>(RequestCode.Heartbeat, heartbeats.HeartbeatAsync)
        .On<UnregisterClientHeader>(RequestCode.UnregisterClient, heartbeats.UnregisterAsync)
        .On<GetConsumerListByGroupHeader>(RequestCode.GetConsumerListByGroup, consumerLists.HandleAsync)
        .On<NoHeader>(RequestCode.CheckClientConfig, clients.CheckConfigAsync)
        .OnPool<NoHeader>(RequestCode.LockBatchMQ, locks.LockAsync)
        .OnPool<NoHeader>(RequestCode.UnlockBatchMQ, locks.UnlockAsync)
        .OnPool<NoHeader>(RequestCode.QueryAssignment, assignments.QueryAsync)
        .OnPool<NoHeader>(RequestCode.SetMessageRequestMode, assignments.SetModeAsync)
        .OnPool<NoHeader>(RequestCode.GetAllMessageRequestMode, assignments.GetAllModesAsync)

        .OnPool<GetBrokerGrayStatusHeader>(RequestCode.GetBrokerGrayStatus, grayStatus.HandleAsync)

        .OnPool<GetConsumerConnectionListHeader>(RequestCode.GetConsumerConnectionList, clients.ConsumersAsync)
        .OnPool<GetProducerConnectionListHeader>(RequestCode.GetProducerConnectionList, clients.ProducersAsync)
        .OnPool<NoHeader>(RequestCode.GetAllProducerInfo, clients.AllProducersAsync)
        .OnPool<TopicHeader>(RequestCode.QueryTopicConsumeByWho, clients.GroupsOfTopicAsync)
        .OnPool<GroupTopicHeader>(RequestCode.QuerySubscriptionByConsumer, clients.SubscriptionAsync)
        .OnPool<GetConsumerRunningInfoHeader>(RequestCode.GetConsumerRunningInfo, consumerCalls.RunningInfoAsync)
        .OnPool<ConsumeMessageDirectlyHeader>(RequestCode.ConsumeMessageDirectly, consumerCalls.ConsumeDirectlyAsync)
        .OnPool<GetConsumerStatusHeader>(RequestCode.InvokeBrokerToGetConsumerStatus, consumerCalls.StatusAsync)

        .OnPool<GetConsumeStatsHeader>(RequestCode.GetConsumeStats, consumeStats.GroupAsync)
        .OnPool<GetBrokerConsumeStatsHeader>(RequestCode.GetBrokerConsumeStats, consumeStats.AllGroupsAsync)
        .OnPool<GroupTopicHeader>(RequestCode.QueryConsumeTimeSpan, consumeStats.TimeSpanAsync)
        .OnPool<TopicHeader>(RequestCode.GetTopicStatsInfo, topicStats.TopicAsync)
        .OnPool<ViewBrokerStatsDataHeader>(RequestCode.ViewBrokerStatsData, topicStats.StatsAsync)
        .OnPool<NoHeader>(RequestCode.GetBrokerRuntimeInfo, runtimeInfo.HandleAsync)
        .OnPool<NoHeader>(RequestCode.GetBrokerConfig, configuration.GetAsync)
        .OnPool<NoHeader>(RequestCode.UpdateBrokerConfig, configuration.UpdateAsync)
        .OnPool<NoHeader>(RequestCode.CleanExpiredConsumeQueue, cleanups.ConsumeQueuesAsync)
        .OnPool<NoHeader>(RequestCode.CleanUnusedTopic, cleanups.UnusedTopicsAsync)
        .OnPool<NoHeader>(RequestCode.DeleteExpiredCommitLog, cleanups.CommitLogAsync)

        .OnPool<DrainBrokerHeader>(RequestCode.DrainBroker, lifecycle.DrainAsync)
        .OnPool<NoHeader>(RequestCode.UndrainBroker, lifecycle.UndrainAsync)
        .OnPool<NoHeader>(RequestCode.ShowLifecycle, lifecycle.ShowAsync);
}
