using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// What RocketMQ's Java client does by itself and a release has to bear, request by request; each test names the methods. Its locks are in
/// <see cref="GrayRulesTests"/>, its reconnecting before a heartbeat in <see cref="GrayFaultsTests"/>, all of it together in
/// <see cref="StockScenarioTests"/>.
/// </summary>
public sealed class JavaClientTests : GrayWireTests
{
    // MQClientInstance.startScheduledTask → persistAllConsumerOffset → RemoteBrokerOffsetStore.updateConsumeOffsetToBroker (one way)
    [Fact]
    public async Task PersistAllConsumerOffset_OfAQueueThatTheOtherSideHas_NeverCounts()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        for (int i = 0; i < 2; i++)
        {
            await gray.SendAsync(Topic, "before", gray: true, 0);
        }

        await CommitAsync(normal, 0, 2);
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");
        for (int i = 0; i < 3; i++)
        {
            await gray.SendAsync(Topic, "gray", gray: true, 0);
        }

        Assert.Equal(["gray", "gray", "gray"], await TakeAsync(canary, 2));

        // Every 5 s, for as long as it runs: what it had come to when it was allocated the queue, or more than there is.
        await CommitAsync(canary, 0, 4);
        foreach (long stale in (long[])[0, 2, 5, 99])
        {
            await UpdateConsumeOffsetToBrokerAsync(normal, 0, stale);
        }

        // An answer on the same connection comes after what was sent before it.
        await MembersAsync(normal);
        Assert.Equal(4, await gray.CommittedAsync(Group, Topic, 0));
        await CommitAsync(canary, 0, 5);
        await gray.State.PromoteAsync(Group);
        await UpdateConsumeOffsetToBrokerAsync(normal, 0, 2);
        await MembersAsync(normal);
        Assert.Equal(5, await gray.CommittedAsync(Group, Topic, 0));
    }

    // ClientRemotingProcessor.notifyConsumerIdsChanged → MQClientInstance.rebalanceImmediately → RebalanceImpl.rebalanceByTopic
    [Fact]
    public async Task NotifyConsumerIdsChanged_OfASideThatHasChanged_IsFollowedByThatSidesList()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        canary.Notified.Clear();
        Peer second = await JoinAsync(gray, "v2-2");
        await Eventually.TrueAsync(() => canary.Notified.Contains(Group), "the gray side is told of its new member");
        Assert.Equal(["v2-1", "v2-2"], await MembersAsync(canary));

        normal.Notified.Clear();
        canary.Notified.Clear();
        second.Notified.Clear();
        await gray.State.SetReleaseAsync(
            Group, release => release with { Clients = new Dictionary<string, Side> { ["v2-2"] = Side.Normal } });

        // No client has come or gone: both lists are others all the same.
        await Eventually.TrueAsync(
            () => normal.Notified.Contains(Group) && canary.Notified.Contains(Group) && second.Notified.Contains(Group),
            "everybody is told");
        Assert.Equal(["v1-1", "v2-2"], await MembersAsync(normal));
        Assert.Equal(["v2-1"], await MembersAsync(canary));
        Assert.Equal(["v1-1", "v2-2"], await MembersAsync(second));
    }

    // MQClientInstance.sendHeartbeatToBrokerV2: once a broker knows the subscriptions, heartbeats leave them out.
    [Fact]
    public async Task SendHeartbeatToBrokerV2_WithoutSubscriptions_KeepsThoseOfItsSide()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = gray.Broker.Connect("v1-1");
        await normal.HeartbeatAsync(Group, [ClientsFixture.To(Topic, "A")], fingerprint: 1);
        await gray.State.OpenAsync(Group);
        Peer canary = gray.Broker.Connect("v2-1");
        await canary.HeartbeatAsync(Group, [ClientsFixture.To(Topic, "B")], fingerprint: 2);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");

        Assert.False((await normal.HeartbeatAsync(Group, null, fingerprint: 1)).SubscriptionsChanged);
        Assert.False((await canary.HeartbeatAsync(Group, null, fingerprint: 2)).SubscriptionsChanged);
        foreach (string tag in (string[])["A", "B"])
        {
            await gray.SendAsync(Topic, $"gray {tag}", gray: true, 0, tag);
            await gray.SendAsync(Topic, $"normal {tag}", gray: false, 1, tag);
        }

        Assert.Equal(["normal A"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))));
        Assert.Equal(["gray B"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0, queueId: 0, expression: null))));
    }

    // MQClientAPIImpl with vipChannelEnabled (MixAll.brokerVIPChannel): heartbeats and pulls go to the port, this goes to the one two below.
    [Fact]
    public async Task BrokerVIPChannel_WhereAllKnownClientsAreOfOneSide_IsThatSides()
    {
        await using GrayFixture gray = await StartAsync();
        await gray.State.OpenAsync(Group);
        await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");
        Peer vip = gray.Broker.Connect("v2-1", endPoint: 1);
        await gray.SendAsync(Topic, "gray", gray: true, 0);

        Assert.Equal(["v2-1"], await MembersAsync(vip));
        await CommitAsync(vip, 0, 1);
        Assert.Equal(1, await gray.CommittedAsync(Group, Topic, 0));
        Assert.Single(await LockAsync(vip));
    }

    // The same where clients of both sides run at one address: MQClientAPIImpl.lockBatchMQ names the client, the others do not.
    [Fact]
    public async Task BrokerVIPChannel_WhereItMayBeAnybodys_ChangesNothing()
    {
        await using GrayFixture gray = await StartAsync();
        await OpenAsync(gray);
        Peer vip = gray.Broker.Connect("v2-1", endPoint: 1);
        await gray.SendAsync(Topic, "gray", gray: true, 0);

        RemotingCommand list = await vip.AskAsync(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = Group });
        Assert.Equal(ResponseCode.SystemError, list.ResponseCode);
        await CommitAsync(vip, 0, 1);
        Assert.Equal(0, Math.Max(0, await gray.CommittedAsync(Group, Topic, 0)));
        Assert.Single(await LockAsync(vip));
        RemotingCommand sent = await vip.SendAsync(Sends.Header(Topic, 3, Sends.Properties((GrayMark.Property, GrayMark.Value))), "g");
        Assert.Equal(ResponseCode.Success, sent.ResponseCode);
    }

    private static Task UpdateConsumeOffsetToBrokerAsync(Peer peer, int queueId, long offset) => peer.TellAsync(
        RequestCode.UpdateConsumerOffset,
        new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = queueId,
            CommitOffset = offset,
        });
}
