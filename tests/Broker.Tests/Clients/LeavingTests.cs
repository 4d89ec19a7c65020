using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Clients;

public class LeavingTests
{
    [Fact]
    public async Task Unregister_LastConsumer_RemovesTheGroup()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        await peer.UnregisterAsync(consumerGroup: "G");

        Assert.Null(broker.Consumers.Find("G"));
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = "G" });
        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Equal("no consumer for this group, G", reply.Remark);
    }

    [Fact]
    public async Task Unregister_OneOfTwo_TellsTheOther()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        Peer second = broker.Connect("c2");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await Eventually.TrueAsync(() => first.Notified.Count == 1, "told of itself");
        await second.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await Eventually.TrueAsync(() => first.Notified.Count == 2, "told of the second");

        await second.UnregisterAsync(consumerGroup: "G");

        await Eventually.TrueAsync(() => first.Notified.Count == 3, "told that one has gone");
        Assert.Equal(["c1"], broker.Consumers.Find("G")!.Clients.Select(client => client.ClientId));
    }

    [Fact]
    public async Task Unregister_Producer_LeavesItsGroup()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("p1");
        await peer.HeartbeatAsync("""{"clientID":"p1","producerDataSet":[{"groupName":"P"},{"groupName":"Q"}]}""");
        Assert.Single(broker.Producers.ClientsOf("P"));

        await peer.UnregisterAsync(producerGroup: "P");

        Assert.Empty(broker.Producers.ClientsOf("P"));
        Assert.Single(broker.Producers.ClientsOf("Q"));
    }

    [Fact]
    public async Task Unregister_ByAStranger_ChangesNothing()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        await broker.Connect("c1").HeartbeatAsync("G", [ClientsFixture.To("T")]);

        await broker.Connect("c1").UnregisterAsync(consumerGroup: "G", producerGroup: "P");

        Assert.True(broker.Consumers.Find("G")!.IsOnline);
    }

    [Fact]
    public async Task ConnectionEnds_OneOfTwo_LeavesAllGroupsAndTellsTheOther()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        Peer second = broker.Connect("c2");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await Eventually.TrueAsync(() => first.Notified.Count == 1, "told of itself");
        await second.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await second.HeartbeatAsync("""{"clientID":"c2","producerDataSet":[{"groupName":"P"}]}""");
        await Eventually.TrueAsync(() => first.Notified.Count == 2, "told of the second");

        await broker.DisconnectAsync(second);

        await Eventually.TrueAsync(() => first.Notified.Count == 3, "told that one has gone");
        Assert.Equal(["c1"], broker.Consumers.Find("G")!.Clients.Select(client => client.ClientId));
        await Eventually.TrueAsync(() => broker.Producers.ClientsOf("P").Count == 0, "no producer any more");
    }

    [Fact]
    public async Task ConsumerList_SameIdOnTwoConnections_IsNamedOnce()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer old = broker.Connect("c1");
        Peer again = broker.Connect("c1");
        await old.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await again.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        Assert.Equal(["c1"], (await ListAsync(again, "G")).ConsumerIdList);
        await broker.DisconnectAsync(old);
        await Eventually.TrueAsync(() => broker.Consumers.Find("G")!.Clients.Count == 1, "the old connection has gone");
        Assert.Equal(["c1"], (await ListAsync(again, "G")).ConsumerIdList);
    }

    [Fact]
    public async Task Heartbeat_OtherClientIdOnTheSameConnection_ReplacesTheClient()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        await peer.HeartbeatAsync("""{"clientID":"c2","consumerDataSet":[{"groupName":"G","subscriptionDataSet":[]}]}""");

        Assert.Equal(["c2"], (await ListAsync(peer, "G")).ConsumerIdList);
    }

    [Fact]
    public async Task Expire_SilentClient_IsDisconnectedAndForgottenLater()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer silent = broker.Connect("c1");
        Peer lively = broker.Connect("c2");
        Peer producer = broker.Connect("p1");
        await silent.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await lively.HeartbeatAsync("H", [ClientsFixture.To("T")]);
        await producer.HeartbeatAsync("""{"clientID":"p1","producerDataSet":[{"groupName":"P"}]}""");

        broker.Time.Advance(TimeSpan.FromSeconds(120));
        Assert.True(broker.Consumers.Find("G")!.IsOnline);
        await lively.HeartbeatAsync("H", [ClientsFixture.To("T")]);
        broker.Consumers.Expire();
        broker.Producers.Expire();
        Assert.True(broker.Consumers.Find("G")!.IsOnline);
        Assert.Single(broker.Producers.ClientsOf("P"));

        broker.Time.Advance(TimeSpan.FromMilliseconds(1));
        broker.Consumers.Expire();
        broker.Producers.Expire();
        Assert.False(broker.Consumers.Find("G")!.IsOnline);
        Assert.True(broker.Consumers.Find("H")!.IsOnline);
        Assert.Empty(broker.Producers.ClientsOf("P"));
        await Eventually.TrueAsync(() => silent.WasClosed && producer.WasClosed, "silent connections are closed");
        Assert.False(lively.WasClosed);

        broker.Time.Advance(ClientLimits.Default.RememberFor + TimeSpan.FromMilliseconds(1));
        broker.Consumers.Expire();
        Assert.Null(broker.Consumers.Find("G"));
    }

    private static Task<GetConsumerListByGroupResponseBody> ListAsync(Peer peer, string group) =>
        peer.AskAsync<GetConsumerListByGroupHeader, GetConsumerListByGroupResponseBody>(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = group });
}
