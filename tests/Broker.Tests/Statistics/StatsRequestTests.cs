using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Statistics;

public class StatsRequestTests
{
    [Fact]
    public async Task TopicStats_AfterSends_HoldEachQueuesBounds()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 3);

        TopicStatsTable stats = await peer.AskAsync<TopicHeader, TopicStatsTable>(RequestCode.GetTopicStatsInfo, new TopicHeader("T"));

        Assert.Equal([Queue(0), Queue(1)], stats.OffsetTable.Keys.Order());
        TopicOffset first = stats.OffsetTable[Queue(0)];
        Assert.Equal((0, 3), (first.MinOffset, first.MaxOffset));
        Assert.InRange(first.LastUpdateTimestamp, NowMs() - 60_000, NowMs());
        Assert.Equal((0, 0, 0), (
            stats.OffsetTable[Queue(1)].MinOffset, stats.OffsetTable[Queue(1)].MaxOffset, stats.OffsetTable[Queue(1)].LastUpdateTimestamp));
        RemotingCommand none = await peer.AskAsync(RequestCode.GetTopicStatsInfo, new TopicHeader("None"));
        Assert.Equal((ResponseCode.TopicNotExist, "topic[None] not exist"), (none.ResponseCode, none.Remark));
    }

    [Fact]
    public async Task ConsumeStats_OfAGroup_HoldWhatItCommittedAndPulled()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 3);
        await CommitAsync(peer, "G", 2);
        RemotingCommand pulled = await RunningBroker.PullAsync(peer, "G", "T", 0, 0);
        Assert.Equal(ResponseCode.Success, pulled.ResponseCode);

        ConsumeStats stats = await peer.AskAsync<GetConsumeStatsHeader, ConsumeStats>(
            RequestCode.GetConsumeStats, new GetConsumeStatsHeader { ConsumerGroup = "G" });

        OffsetWrapper first = stats.OffsetTable[Queue(0)];
        Assert.Equal((3, 2), (first.BrokerOffset, first.ConsumerOffset));
        Assert.InRange(first.PullOffset, 2, 3);
        Assert.InRange(first.LastTimestamp, NowMs() - 60_000, NowMs());
        Assert.True(stats.ConsumeTps > 0);
        Assert.Equal((0, 0, 0), (
            stats.OffsetTable[Queue(1)].BrokerOffset, stats.OffsetTable[Queue(1)].ConsumerOffset, stats.OffsetTable[Queue(1)].LastTimestamp));
    }

    [Fact]
    public async Task ConsumeStats_TopicNotSubscribedAnyMore_IsLeftOutUnlessListed()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 1);
        await CommitAsync(peer, "G", 1);
        await peer.HeartbeatAsync("G", [new SubscriptionData { Topic = "Other", SubString = "*" }]);

        Assert.Empty((await AskAsync(new GetConsumeStatsHeader { ConsumerGroup = "G" })).OffsetTable);
        Assert.Empty((await AskAsync(new GetConsumeStatsHeader { ConsumerGroup = "G", Topic = "T" })).OffsetTable);
        Assert.Equal(2, (await AskAsync(new GetConsumeStatsHeader { ConsumerGroup = "G", Topics = ["T", "None"] })).OffsetTable.Count);

        Task<ConsumeStats> AskAsync(GetConsumeStatsHeader header) =>
            peer.AskAsync<GetConsumeStatsHeader, ConsumeStats>(RequestCode.GetConsumeStats, header);
    }

    [Fact]
    public async Task BrokerConsumeStats_AllGroups_SumWhatIsLeft()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 5);
        await CommitAsync(peer, "G", 2);
        await CommitAsync(peer, "H", 4);

        ConsumeStatsList all = await AskAsync(isOrder: false);
        ConsumeStatsList ordered = await AskAsync(isOrder: true);

        Assert.StartsWith("127.0.0.1:", all.BrokerAddr, StringComparison.Ordinal);
        Assert.Equal(3 + 1, all.TotalDiff);
        Assert.Equal(0, all.TotalInflightDiff);
        ConsumeStats ofG = Assert.Single(all.Groups.Single(group => group.ContainsKey("G"))["G"]);
        Assert.Equal(2, ofG.OffsetTable[Queue(0)].ConsumerOffset);
        Assert.Equal(0, ordered.TotalDiff);
        Assert.Empty(ordered.Groups.Single(group => group.ContainsKey("G"))["G"]);

        Task<ConsumeStatsList> AskAsync(bool isOrder) => peer.AskAsync<GetBrokerConsumeStatsHeader, ConsumeStatsList>(
            RequestCode.GetBrokerConsumeStats, new GetBrokerConsumeStatsHeader { IsOrder = isOrder });
    }

    [Fact]
    public async Task ConsumeTimeSpan_OfAGroup_HoldsTheTimesOfItsQueues()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 3);
        await CommitAsync(peer, "G", 1);

        QueryConsumeTimeSpanBody body = await peer.AskAsync<GroupTopicHeader, QueryConsumeTimeSpanBody>(
            RequestCode.QueryConsumeTimeSpan, new GroupTopicHeader { Group = "G", Topic = "T" });

        Assert.Equal(2, body.ConsumeTimeSpanSet.Count);
        QueueTimeSpan first = body.ConsumeTimeSpanSet.Single(span => span.MessageQueue == Queue(0));
        long[] times = [first.MinTimeStamp, first.ConsumeTimeStamp, first.MaxTimeStamp];
        Assert.Equal(times.Order(), times);
        Assert.InRange(first.MinTimeStamp, NowMs() - 60_000, NowMs());
        Assert.InRange(first.DelayTime, 0, 60_000);
        QueueTimeSpan empty = body.ConsumeTimeSpanSet.Single(span => span.MessageQueue == Queue(1));
        Assert.Equal((-1, -1, 0), (empty.MinTimeStamp, empty.MaxTimeStamp, empty.DelayTime));
    }

    [Fact]
    public async Task StatsData_ByName_HoldsWhatWentBy()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 3);
        await RunningBroker.PullAsync(peer, "G", "T", 0, 0);

        Assert.Equal(3, (await AskAsync("TOPIC_PUT_NUMS", "T")).StatsDay.Sum);
        Assert.Equal(1, (await AskAsync("TOPIC_PUT_NUMS", "T")).StatsMinute.AveragePerEvent);
        Assert.Equal(3, (await AskAsync("GROUP_GET_NUMS", "T@G")).StatsHour.Sum);
        Assert.Equal(3, (await AskAsync("BROKER_PUT_NUMS", RunningBroker.Cluster)).StatsDay.Sum);
        RemotingCommand none = await peer.AskAsync(
            RequestCode.ViewBrokerStatsData, new ViewBrokerStatsDataHeader { StatsName = "TOPIC_PUT_NUMS", StatsKey = "None" });
        Assert.Equal((ResponseCode.SystemError, "The stats <TOPIC_PUT_NUMS> <None> not exist"), (none.ResponseCode, none.Remark));

        Task<BrokerStatsData> AskAsync(string name, string key) => peer.AskAsync<ViewBrokerStatsDataHeader, BrokerStatsData>(
            RequestCode.ViewBrokerStatsData, new ViewBrokerStatsDataHeader { StatsName = name, StatsKey = key });
    }

    [Theory]
    [InlineData("ASYNC_FLUSH")]
    [InlineData("SYNC_FLUSH")]
    public async Task StatsData_SendsToTwoTopicsAtATime_AreCountedBeforeTheyAreAnswered(string flush)
    {
        const int Sends = 200;
        await using RunningBroker broker = await RunningBroker.StartAsync(("flushDiskType", flush));
        Peer peer = broker.Connect("c");
        await Task.WhenAll(Enumerable.Range(0, Sends).Select(i => RunningBroker.SendAsync(peer, i % 3 == 0 ? "A" : "B", 0, "body")));

        foreach ((string topic, int count) in new[] { ("A", (Sends + 2) / 3), ("B", Sends * 2 / 3) })
        {
            BrokerStatsData data = await peer.AskAsync<ViewBrokerStatsDataHeader, BrokerStatsData>(
                RequestCode.ViewBrokerStatsData, new ViewBrokerStatsDataHeader { StatsName = "TOPIC_PUT_NUMS", StatsKey = topic });
            Assert.Equal(count, data.StatsDay.Sum);
            Assert.Equal(1, data.StatsDay.AveragePerEvent);
        }
    }

    // What mqadmin clusterList and brokerStatus read by name.
    [Fact]
    public async Task RuntimeInfo_Asked_HasWhatMqadminReads()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await SendAsync(peer, 2);

        Dictionary<string, string> info =
            (await peer.AskAsync<NoHeader, KVTable>(RequestCode.GetBrokerRuntimeInfo, default)).Table;

        string[] names =
        [
            "msgPutTotalYesterdayMorning", "msgPutTotalTodayMorning", "msgPutTotalTodayNow", "msgGetTotalYesterdayMorning",
            "msgGetTotalTodayMorning", "msgGetTotalTodayNow", "brokerActive", "putTps", "getTransferredTps", "sendThreadPoolQueueSize",
            "pullThreadPoolQueueSize", "sendThreadPoolQueueHeadWaitTimeMills", "pullThreadPoolQueueHeadWaitTimeMills",
            "pageCacheLockTimeMills", "earliestMessageTimeStamp", "commitLogDiskRatio", "timerReadBehind", "timerOffsetBehind",
            "timerCongestNum", "timerEnqueueTps", "timerDequeueTps", "brokerVersionDesc", "bootTimestamp", "runtime",
            "commitLogMinOffset", "commitLogMaxOffset", "commitLogDirCapacity", "dispatchBehindBytes", "remainHowManyDataToFlush",
        ];
        Assert.Empty(names.Except(info.Keys));
        Assert.Equal("2", info["msgPutTotalTodayNow"]);
        Assert.Equal("V5_3_3", info["brokerVersionDesc"]);
        Assert.Equal("true", info["brokerActive"]);
        Assert.Matches(@"^Total : [0-9.]+ [KMGTPE]iB, Free : [0-9.]+ [KMGTPE]iB\.$", info["commitLogDirCapacity"]);
        Assert.InRange(long.Parse(info["earliestMessageTimeStamp"], System.Globalization.CultureInfo.InvariantCulture), NowMs() - 60_000, NowMs());
    }

    private static async Task SendAsync(Peer peer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await RunningBroker.SendAsync(peer, "T", 0, "body");

            // A message counts in its queue once it was dispatched: the pull waits for it.
            RemotingCommand reply = await peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
            {
                ConsumerGroup = "Watcher"u8.ToArray(),
                Topic = "T"u8.ToArray(),
                QueueOffset = i,
                MaxMessages = 1,
                SysFlag = PullSysFlag.Subscription | PullSysFlag.Suspend,
                SuspendTimeoutMs = 15_000,
                Subscription = "*"u8.ToArray(),
            });
            Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        }
    }

    private static async Task CommitAsync(Peer peer, string group, long offset)
    {
        // A group is known from its first heartbeat on.
        await peer.HeartbeatAsync(group, [new SubscriptionData { Topic = "T", SubString = "*" }]);
        RemotingCommand reply = await peer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = System.Text.Encoding.UTF8.GetBytes(group),
            Topic = "T"u8.ToArray(),
            QueueId = 0,
            CommitOffset = offset,
        });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    private static MessageQueue Queue(int queueId) => new("T", RunningBroker.Name, queueId);

    private static long NowMs() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
