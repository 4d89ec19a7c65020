using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Clients;

public class HeartbeatV2Tests
{
    [Fact]
    public async Task Heartbeat_FullThenLeftOut_KeepsTheSubscriptions()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");

        HeartbeatResponseHeader full = await peer.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 42);
        HeartbeatResponseHeader leftOut = await peer.HeartbeatAsync("G", null, fingerprint: 42);

        Assert.Equal(new HeartbeatResponseHeader { SupportsV2 = true, SubscriptionsChanged = false }, full);
        Assert.Equal(new HeartbeatResponseHeader { SupportsV2 = true, SubscriptionsChanged = false }, leftOut);
        Assert.NotNull(broker.Consumers.Find("G")!.FindSubscription("T"));
    }

    [Fact]
    public async Task Heartbeat_OtherFingerprint_AsksForTheSubscriptionsAgain()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 42);

        Assert.True((await peer.HeartbeatAsync("G", null, fingerprint: 43)).SubscriptionsChanged);
        Assert.True((await peer.HeartbeatAsync("G", [ClientsFixture.To("U")], fingerprint: 43)).SubscriptionsChanged);
        Assert.False((await peer.HeartbeatAsync("G", [ClientsFixture.To("U")], fingerprint: 43)).SubscriptionsChanged);
        Assert.False((await peer.HeartbeatAsync("G", null, fingerprint: 43)).SubscriptionsChanged);
        Assert.NotNull(broker.Consumers.Find("G")!.FindSubscription("U"));
        Assert.Null(broker.Consumers.Find("G")!.FindSubscription("T"));
    }

    [Fact]
    public async Task Heartbeat_LeftOutByAnUnknownClient_AsksForTheSubscriptions()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");

        Assert.True((await peer.HeartbeatAsync("G", null, fingerprint: 42)).SubscriptionsChanged);

        Assert.True(broker.Consumers.Find("G")!.IsOnline);
        Assert.Null(broker.Consumers.Find("G")!.FindSubscription("T"));
        Assert.False((await peer.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 42)).SubscriptionsChanged);
        Assert.NotNull(broker.Consumers.Find("G")!.FindSubscription("T"));
    }

    [Fact]
    public async Task Heartbeat_TwoClientsWithOwnFingerprints_DoNotDisturbEachOther()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        Peer second = broker.Connect("c2");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 1);
        await second.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 2);

        Assert.False((await first.HeartbeatAsync("G", null, fingerprint: 1)).SubscriptionsChanged);
        Assert.False((await second.HeartbeatAsync("G", null, fingerprint: 2)).SubscriptionsChanged);
    }

    [Fact]
    public async Task Heartbeat_LeftOutAfterReconnecting_IsKnownStill()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [ClientsFixture.To("T")], fingerprint: 42);
        await broker.DisconnectAsync(peer);
        await Eventually.TrueAsync(() => broker.Consumers.FindOnline("G") is null, "offline");

        Assert.NotNull(broker.Consumers.Find("G"u8)!.FindSubscription("T"u8));
        Assert.False((await broker.Connect("c1").HeartbeatAsync("G", null, fingerprint: 42)).SubscriptionsChanged);
        Assert.NotNull(broker.Consumers.FindOnline("G")!.FindSubscription("T"));
    }
}
