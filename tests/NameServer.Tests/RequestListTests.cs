using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests;

public sealed class RequestListTests
{
    /// <summary>What RocketMQ 5.3.3's name server answers (RocketMQ: DefaultRequestProcessor, ClientRequestProcessor), and what only ours does.</summary>
    private static readonly RequestCode[] Answered =
    [
        RequestCode.PutKVConfig,
        RequestCode.GetKVConfig,
        RequestCode.DeleteKVConfig,
        RequestCode.RegisterBroker,
        RequestCode.UnregisterBroker,
        RequestCode.GetRouteInfoByTopic,
        RequestCode.GetBrokerClusterInfo,
        RequestCode.WipeWritePermOfBroker,
        RequestCode.GetAllTopicListFromNameServer,
        RequestCode.DeleteTopicInNameServer,
        RequestCode.RegisterTopicInNameServer,
        RequestCode.GetKVListByNamespace,
        RequestCode.GetTopicsByCluster,
        RequestCode.GetSystemTopicListFromNameServer,
        RequestCode.GetUnitTopicList,
        RequestCode.GetHasUnitSubTopicList,
        RequestCode.GetHasUnitSubUnunitTopicList,
        RequestCode.UpdateNameServerConfig,
        RequestCode.GetNameServerConfig,
        RequestCode.QueryDataVersion,
        RequestCode.AddWritePermOfBroker,
        RequestCode.GetBrokerMemberGroup,
        RequestCode.BrokerHeartbeat,

        // This project's own.
        RequestCode.GetGrayState,
        RequestCode.ChangeGrayState,
        RequestCode.ReportGrayProgress,
        RequestCode.GetGrayHistory,
        RequestCode.GetGrayStatus,
        RequestCode.LeaseDrain,
        RequestCode.ReturnDrain,
    ];

    [Fact]
    public async Task EveryKnownRequest_IsAnsweredOrNotSupported()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        foreach (RequestCode code in Enum.GetValues<RequestCode>())
        {
            RemotingCommand response = await server.AskAsync(code, default(NoHeader));

            bool supported = response.ResponseCode != ResponseCode.RequestCodeNotSupported;
            Assert.True(Answered.Contains(code) == supported, $"{code} was answered {response.ResponseCode}");
        }
    }
}
