using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
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

    [Fact]
    public async Task Heartbeat_LeftOutAfterARestart_IsKnownStill()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        Peer first = broker.Connect("c1");
        await first.HeartbeatAsync("G", [ClientsFixture.To("T", "TagA || TagB", 5), ClientsFixture.To("U")], fingerprint: 42);
        await broker.Connect("c2").HeartbeatAsync("G", [ClientsFixture.To("T", "TagC", 4), ClientsFixture.To("U")], fingerprint: 43);
        Peer leaver = broker.Connect("c3");
        await leaver.HeartbeatAsync("G", [ClientsFixture.To("U")], fingerprint: 44);
        await leaver.UnregisterAsync(consumerGroup: "G");

        await broker.RestartAsync();

        // Whoever pulls before its next heartbeat is served, and nobody is told that the group is empty.
        ConsumerGroup group = broker.Consumers.Find("G")!;
        Assert.False(group.IsOnline);
        Assert.Equal(["TagA", "TagB"], group.FindSubscription("T")!.Expression.Tags!.Tags);
        Assert.Equal(ConsumeFromWhere.FirstOffset, group.ConsumeFromWhere);
        Assert.False((await broker.Connect("c1").HeartbeatAsync("G", null, fingerprint: 42)).SubscriptionsChanged);
        Assert.False((await broker.Connect("c2").HeartbeatAsync("G", null, fingerprint: 43)).SubscriptionsChanged);
        Assert.True((await broker.Connect("c3").HeartbeatAsync("G", null, fingerprint: 44)).SubscriptionsChanged);
        Assert.Equal(["TagA", "TagB"], group.FindSubscription("T")!.Expression.Tags!.Tags);
        Assert.Equal(["TagC"], group.FindClient("c2")!.Subscriptions.Find("T")!.Expression.Tags!.Tags);
    }

    [Fact]
    public async Task Heartbeat_WithoutFingerprint_IsRememberedOverARestart()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        await broker.Connect("c1").HeartbeatAsync("G", [ClientsFixture.To("T", "TagA")]);

        await broker.RestartAsync();

        Assert.Equal(["TagA"], broker.Consumers.Find("G")!.FindSubscription("T")!.Expression.Tags!.Tags);
        Assert.True((await broker.Connect("c1").HeartbeatAsync("G", [ClientsFixture.To("U")])).SubscriptionsChanged);
        Assert.Null(broker.Consumers.Find("G")!.FindSubscription("T"));
    }

    [Fact]
    public async Task Remembered_ClientThatDoesNotComeBack_IsForgottenOnDisk()
    {
        await using ClientsFixture broker = await ClientsFixture.StartAsync();
        await broker.Connect("c1").HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await broker.RestartAsync();
        Assert.NotNull(broker.Consumers.Find("G"));

        broker.Time.Advance(ClientLimits.Default.RememberFor + TimeSpan.FromSeconds(20));

        Assert.Null(broker.Consumers.Find("G"));
        await broker.RestartAsync();
        Assert.Null(broker.Consumers.Find("G"));
    }
}
