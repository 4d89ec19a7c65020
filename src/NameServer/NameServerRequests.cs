using GrayMQ.NameServer.Brokers;
using GrayMQ.NameServer.Configurations;
using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Gray;
using GrayMQ.NameServer.KVConfigs;
using GrayMQ.NameServer.Routes;
using GrayMQ.NameServer.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer;

/// <summary>Every request that the name server answers. All others are answered REQUEST_CODE_NOT_SUPPORTED.</summary>
internal static class NameServerRequests
{
    public static CountedRequests Table(
        RouteHandler routes,
        RegistrationHandler registrations,
        ClusterHandler clusters,
        DrainHandler drains,
        TopicHandler topics,
        KVConfigHandler kvConfigs,
        ConfigurationHandler configurations,
        GrayHandler gray) => new CountedRequests()
        .On<GetRouteInfoHeader>(RequestCode.GetRouteInfoByTopic, routes.HandleAsync)

        .On<RegisterBrokerHeader>(RequestCode.RegisterBroker, registrations.RegisterAsync)
        .On<UnregisterBrokerHeader>(RequestCode.UnregisterBroker, registrations.UnregisterAsync)
        .On<QueryDataVersionHeader>(RequestCode.QueryDataVersion, registrations.QueryDataVersionAsync)
        .On<BrokerHeartbeatHeader>(RequestCode.BrokerHeartbeat, registrations.HeartbeatAsync)
        .On<LeaseDrainHeader>(RequestCode.LeaseDrain, drains.LeaseAsync)
        .On<ReturnDrainHeader>(RequestCode.ReturnDrain, drains.ReturnAsync)

        .OnPool<NoHeader>(RequestCode.GetBrokerClusterInfo, clusters.DescribeAsync)
        .OnPool<GetBrokerMemberGroupHeader>(RequestCode.GetBrokerMemberGroup, clusters.DescribeMembersAsync)
        .OnPool<BrokerNameHeader>(RequestCode.WipeWritePermOfBroker, clusters.WipeWritePermissionAsync)
        .OnPool<BrokerNameHeader>(RequestCode.AddWritePermOfBroker, clusters.AddWritePermissionAsync)

        .OnPool<NoHeader>(RequestCode.GetAllTopicListFromNameServer, topics.ListAllAsync)
        .OnPool<GetTopicsByClusterHeader>(RequestCode.GetTopicsByCluster, topics.ListOfClusterAsync)
        .OnPool<NoHeader>(RequestCode.GetSystemTopicListFromNameServer, topics.ListSystemAsync)
        .OnPool<NoHeader>(RequestCode.GetUnitTopicList, topics.ListUnitAsync)
        .OnPool<NoHeader>(RequestCode.GetHasUnitSubTopicList, topics.ListUnitSubscriptionAsync)
        .OnPool<NoHeader>(RequestCode.GetHasUnitSubUnunitTopicList, topics.ListUnitSubscriptionWithoutUnitAsync)
        .OnPool<DeleteTopicInNameServerHeader>(RequestCode.DeleteTopicInNameServer, topics.DeleteAsync)
        .OnPool<RegisterTopicHeader>(RequestCode.RegisterTopicInNameServer, topics.RegisterAsync)

        .OnPool<PutKVConfigHeader>(RequestCode.PutKVConfig, kvConfigs.PutAsync)
        .OnPool<KVConfigKeyHeader>(RequestCode.GetKVConfig, kvConfigs.GetAsync)
        .OnPool<KVConfigKeyHeader>(RequestCode.DeleteKVConfig, kvConfigs.DeleteAsync)
        .OnPool<GetKVListByNamespaceHeader>(RequestCode.GetKVListByNamespace, kvConfigs.ListAsync)

        .OnPool<NoHeader>(RequestCode.UpdateNameServerConfig, configurations.UpdateAsync)
        .OnPool<NoHeader>(RequestCode.GetNameServerConfig, configurations.GetAsync)

        .On<GetGrayStateHeader>(RequestCode.GetGrayState, gray.GetAsync)
        .OnPool<ChangeGrayStateHeader>(RequestCode.ChangeGrayState, gray.ChangeAsync)
        .OnPool<ReportGrayProgressHeader>(RequestCode.ReportGrayProgress, gray.ReportAsync)
        .OnPool<GetGrayHistoryHeader>(RequestCode.GetGrayHistory, gray.HistoryAsync)
        .OnPool<NoHeader>(RequestCode.GetGrayStatus, gray.StatusAsync);
}
