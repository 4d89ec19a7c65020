using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.NameServer.Tests;

public sealed class TopicTests
{
    [Fact]
    public async Task Lists_OfTopics_TellThemByClusterSystemAndUnit()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        TopicConfigAndMappingSerializeWrapper topics = TestNameServer.Topics("Plain", "Unit", "UnitSub", "Both");
        topics.TopicConfigTable["Unit"].TopicSysFlag = 1;
        topics.TopicConfigTable["UnitSub"].TopicSysFlag = 2;
        topics.TopicConfigTable["Both"].TopicSysFlag = 3;
        await server.RegisterSuccessfullyAsync("a", topics);
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("Plain", "Other"), TestNameServer.Header("b") with { ClusterName = "D" });

        Assert.Equal(["Both", "Other", "Plain", "Unit", "UnitSub"], await NamesAsync(RequestCode.GetAllTopicListFromNameServer, default(NoHeader)));
        Assert.Equal(["Other", "Plain"], await NamesAsync(RequestCode.GetTopicsByCluster, new GetTopicsByClusterHeader { Cluster = "D" }));
        Assert.Empty(await NamesAsync(RequestCode.GetTopicsByCluster, new GetTopicsByClusterHeader { Cluster = "none" }));
        Assert.Equal(["C", "D", "a", "b"], await NamesAsync(RequestCode.GetSystemTopicListFromNameServer, default(NoHeader)));
        Assert.Equal(["Both", "Unit"], await NamesAsync(RequestCode.GetUnitTopicList, default(NoHeader)));
        Assert.Equal(["Both", "UnitSub"], await NamesAsync(RequestCode.GetHasUnitSubTopicList, default(NoHeader)));
        Assert.Equal(["UnitSub"], await NamesAsync(RequestCode.GetHasUnitSubUnunitTopicList, default(NoHeader)));

        async Task<string[]> NamesAsync<THeader>(RequestCode code, THeader header)
            where THeader : IHeaderFields =>
            [.. BodyCodec.Decode<TopicList>((await server.AskSuccessfullyAsync(code, header)).Body).Topics.Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Lists_SwitchedOff_AreRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("enableAllTopicList=false", "enableTopicList=false");

        RemotingCommand all = await server.AskAsync(RequestCode.GetAllTopicListFromNameServer, default(NoHeader));
        RemotingCommand ofCluster = await server.AskAsync(RequestCode.GetTopicsByCluster, new GetTopicsByClusterHeader { Cluster = "C" });

        Assert.Equal((ResponseCode.SystemError, "disable"), (all.ResponseCode, all.Remark));
        Assert.Equal((ResponseCode.SystemError, "disable"), (ofCluster.ResponseCode, ofCluster.Remark));
    }

    [Fact]
    public async Task Delete_InOneCluster_KeepsTheTopicInOthers()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "U"), TestNameServer.Header("b") with { ClusterName = "D" });

        await server.AskSuccessfullyAsync(
            RequestCode.DeleteTopicInNameServer, new DeleteTopicInNameServerHeader { Topic = "T", ClusterName = "D" });
        await server.AskSuccessfullyAsync(
            RequestCode.DeleteTopicInNameServer, new DeleteTopicInNameServerHeader { Topic = "U", ClusterName = "none" });

        Assert.Equal("a", Assert.Single((await server.FindRouteAsync("T"))!.QueueDatas).BrokerName);
        Assert.Equal(2, (await server.FindRouteAsync("U"))!.QueueDatas.Count);
    }

    [Fact]
    public async Task Register_OfTopicAtKnownBrokers_RoutesItThere()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"));

        await RegisterAsync("New", "a");
        await RegisterAsync("Nowhere", "a", "unknown");

        Assert.Equal(3, Assert.Single((await server.FindRouteAsync("New"))!.QueueDatas).ReadQueueNums);
        Assert.Null(await server.FindRouteAsync("Nowhere"));

        Task RegisterAsync(string topic, params string[] brokers) => server.AskSuccessfullyAsync(
            RequestCode.RegisterTopicInNameServer,
            new RegisterTopicHeader { Topic = topic },
            BodyCodec.Encode(new TopicRouteData
            {
                QueueDatas = [.. brokers.Select(name => new QueueData { BrokerName = name, Perm = 6, ReadQueueNums = 3, WriteQueueNums = 3 })],
            }));
    }

    [Fact]
    public async Task WritePermission_WipedAndAdded_ChangesAllTopicsOfTheBroker()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U", "V"));
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "U"));

        RemotingCommand wiped = await server.AskSuccessfullyAsync(
            RequestCode.WipeWritePermOfBroker, new BrokerNameHeader { BrokerName = "a" });
        Assert.Equal(3, WipeWritePermOfBrokerResponseHeader.Read(wiped.Fields).WipeTopicCount);
        Assert.Equal([("a", 4), ("b", 6)], await PermissionsAsync());

        // A registration that brings nothing new leaves it so.
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U", "V"));
        Assert.Equal([("a", 4), ("b", 6)], await PermissionsAsync());

        RemotingCommand added = await server.AskSuccessfullyAsync(
            RequestCode.AddWritePermOfBroker, new BrokerNameHeader { BrokerName = "a" });
        Assert.Equal(3, AddWritePermOfBrokerResponseHeader.Read(added.Fields).AddTopicCount);
        Assert.Equal([("a", 6), ("b", 6)], await PermissionsAsync());

        RemotingCommand unknown = await server.AskSuccessfullyAsync(
            RequestCode.WipeWritePermOfBroker, new BrokerNameHeader { BrokerName = "unknown" });
        Assert.Equal(0, WipeWritePermOfBrokerResponseHeader.Read(unknown.Fields).WipeTopicCount);

        async Task<IEnumerable<(string, int)>> PermissionsAsync() =>
            (await server.FindRouteAsync("T"))!.QueueDatas.Select(queue => (queue.BrokerName, queue.Perm)).Order();
    }
}
