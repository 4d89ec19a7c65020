using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Since when a side has nobody for a topic.</summary>
public sealed class GraySubscribersTests
{
    private const string Group = "G";
    private const string Topic = "Orders";

    [Fact]
    public async Task Absence_OfASideThatWasAwayBefore_CountsFromWhenItWentTheLastTime()
    {
        await using ClientsFixture fixture = await ClientsFixture.StartAsync();
        GrayGroup group = NewGroup(fixture);
        var subscribers = new GraySubscribers([new GraySubscriber(Side.Normal, Topic, 0)]);

        Look(subscribers, group, fixture, 1_000);
        Look(subscribers, group, fixture, 5_000);
        Assert.Equal(1_000, group.AbsentSinceMs(Side.Normal, Topic));

        Peer client = fixture.Connect("v1-1");
        await client.HeartbeatAsync(Group, [ClientsFixture.To(Topic)]);
        Look(subscribers, group, fixture, 9_000);
        Assert.Equal(0, group.AbsentSinceMs(Side.Normal, Topic));

        await fixture.DisconnectAsync(client);
        await Eventually.TrueAsync(() => fixture.Consumers.Find(Group) is not { Clients.Count: > 0 }, "the client is gone");
        Look(subscribers, group, fixture, 70_000);
        Assert.Equal(70_000, group.AbsentSinceMs(Side.Normal, Topic));
    }

    [Fact]
    public async Task Absence_OfASideThatHasGivenATopicUp_IsNotTold()
    {
        await using ClientsFixture fixture = await ClientsFixture.StartAsync();
        GrayGroup group = NewGroup(fixture);
        var subscribers = new GraySubscribers([new GraySubscriber(Side.Gray, Topic, 1)]);

        subscribers.Refresh(group, null, 1_000, TimeSpan.FromSeconds(60), new HashSet<string>());
        Assert.Equal(1, group.AbsentSinceMs(Side.Gray, Topic));
        subscribers.Refresh(group, null, 60_001, TimeSpan.FromSeconds(60), new HashSet<string>());

        Assert.Null(group.AbsentSinceMs(Side.Gray, Topic));
    }

    private static GrayGroup NewGroup(ClientsFixture fixture) => new(
        new GrayRelease { Group = Group, Generation = 1, State = GrayReleaseState.Open }, fixture.Consumers, fixture.Offsets, () => { });

    private static void Look(GraySubscribers subscribers, GrayGroup group, ClientsFixture fixture, long nowMs) =>
        subscribers.Refresh(group, fixture.Consumers.Find(Group), nowMs, TimeSpan.FromSeconds(60), new HashSet<string>());
}
