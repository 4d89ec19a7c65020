using System.Collections.Concurrent;
using System.Net;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests;

public sealed class ActingMasterTests
{
    private const string SyncTopic = "rmq_sys_SYNC_BROKER_MEMBER_a";

    [Fact]
    public async Task Route_WithoutMaster_NamesTheLowestSlaveAsMasterToReadFrom()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("supportActingMaster=true");
        await RegisterGroupAsync(server, enableActingMaster: true);

        await LeaveAsync(server, id: 0);

        TopicRouteData route = (await server.FindRouteAsync("T"))!;
        Assert.Equal("a-1:10911", route.BrokerDatas[0].BrokerAddrs[0]);
        Assert.Equal("a-2:10911", route.BrokerDatas[0].BrokerAddrs[2]);
        Assert.Equal(4, route.QueueDatas[0].Perm);
        Assert.Equal([1L, 2L], (await server.FindRouteAsync(SyncTopic))!.BrokerDatas[0].BrokerAddrs.Keys.Order());

        await server.RegisterSuccessfullyAsync(
            "a", Topics(), TestNameServer.Header("a") with { EnableActingMaster = true });
        route = (await server.FindRouteAsync("T"))!;
        Assert.Equal("a-0:10911", route.BrokerDatas[0].BrokerAddrs[0]);
        Assert.Equal(6, route.QueueDatas[0].Perm);
    }

    [Theory]
    [InlineData(true, "supportActingMaster=false")]
    [InlineData(false, "supportActingMaster=true")]
    public async Task Route_WithoutMaster_NamesNoneWhereActingIsOff(bool enableActingMaster, string setting)
    {
        await using TestNameServer server = await TestNameServer.StartAsync(setting);
        await RegisterGroupAsync(server, enableActingMaster);

        await LeaveAsync(server, id: 0);

        Assert.Equal([1L, 2L], (await server.FindRouteAsync("T"))!.BrokerDatas[0].BrokerAddrs.Keys.Order());
    }

    [Fact]
    public async Task PrimeSlave_RegisteringWithoutMaster_BringsItsTopicsReadOnly()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("supportActingMaster=true");

        await server.RegisterSuccessfullyAsync(
            "a", Topics(), TestNameServer.Header("a", id: 1) with { EnableActingMaster = true });

        TopicRouteData route = (await server.FindRouteAsync("T"))!;
        Assert.Equal(4, route.QueueDatas[0].Perm);
        Assert.Equal("a-1:10911", route.BrokerDatas[0].BrokerAddrs[0]);
    }

    [Fact]
    public async Task MinBrokerId_Changing_IsToldToTheBrokersThatAreLeft()
    {
        var told = new ConcurrentQueue<NotifyMinBrokerIdChangeHeader>();
        RequestTable table = new RequestTable().On<NotifyMinBrokerIdChangeHeader>(
            RequestCode.NotifyMinBrokerIdChange,
            (request, header) =>
            {
                told.Enqueue(header);
                request.Reply(ResponseCode.Success);
                return ValueTask.CompletedTask;
            });
        await using var slave = new RemotingServer(
            new RemotingServerOptions { EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)] },
            table,
            SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        await slave.StartAsync();
        string address = slave.EndPoints[0].ToString();
        await using TestNameServer server = await TestNameServer.StartAsync("notifyMinBrokerIdChanged=true");
        RegisterBrokerHeader header = TestNameServer.Header("a", id: 1) with { EnableActingMaster = true };
        await server.RegisterSuccessfullyAsync("a", Topics(), header with { BrokerAddress = address });

        await server.RegisterSuccessfullyAsync("a", Topics(), TestNameServer.Header("a") with { EnableActingMaster = true });
        await Eventually.TrueAsync(() => told.Count == 1, "the slave is told of its master");
        await LeaveAsync(server, id: 0);
        await Eventually.TrueAsync(() => told.Count == 2, "the slave is told that its master has gone");

        Assert.True(told.TryDequeue(out NotifyMinBrokerIdChangeHeader? came));
        Assert.Equal((0, "a-0:10911", "a-0:10912", null), (came.MinBrokerId, came.MinBrokerAddress, came.HaBrokerAddress, came.OfflineBrokerAddress));
        Assert.True(told.TryDequeue(out NotifyMinBrokerIdChangeHeader? went));
        Assert.Equal((1, address, null, "a-0:10911"), (went.MinBrokerId, went.MinBrokerAddress, went.HaBrokerAddress, went.OfflineBrokerAddress));
    }

    private static async Task RegisterGroupAsync(TestNameServer server, bool enableActingMaster)
    {
        for (long id = 0; id < 3; id++)
        {
            await server.RegisterSuccessfullyAsync(
                "a", Topics(), TestNameServer.Header("a", id) with { EnableActingMaster = enableActingMaster });
        }
    }

    private static async Task LeaveAsync(TestNameServer server, long id) => await server.AskSuccessfullyAsync(
        RequestCode.UnregisterBroker,
        new UnregisterBrokerHeader
        {
            BrokerName = "a",
            BrokerAddress = $"a-{id}:10911",
            ClusterName = TestNameServer.Cluster,
            BrokerId = id,
        });

    private static TopicConfigAndMappingSerializeWrapper Topics() => TestNameServer.Topics("T", SyncTopic);
}
