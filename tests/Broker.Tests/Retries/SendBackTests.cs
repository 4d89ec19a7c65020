using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Retries;

/// <summary>CONSUMER_SEND_MSG_BACK (36) against RocketMQ 5.3.3's rules.</summary>
public sealed class SendBackTests
{
    private const string Topic = "Orders";
    private const string Group = "GRETRY";
    private const string RetryTopic = "%RETRY%GRETRY";
    private const string DeadLetters = "%DLQ%GRETRY";
    private const int ShortestDelay = 1;

    private static readonly string Sent = Sends.Properties(("TAGS", "a"), ("KEYS", "k1 k2"), ("UNIQ_KEY", "C000"), ("own", "värde"));

    [Fact]
    public async Task SentBack_IsDeliveredAgain_WithItsOriginAndOneMoreAttempt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);

        await BackAsync(peer, Header(first, ShortestDelay));
        ReceivedMessage again = await peer.ReadAsync(RetryTopic, 0);

        Assert.Equal(1, again.ReconsumeTimes);
        Assert.Equal("hello", Encoding.UTF8.GetString(again.Body.Span));
        Assert.Equal((first.BornTimestampMs, first.BornHost, first.Flag), (again.BornTimestampMs, again.BornHost, again.Flag));
        Assert.Equal(Topic, again.Properties[MessageProperty.RetryTopic]);
        Assert.Equal(IdOf(first), again.Properties[MessageProperty.OriginMessageId]);
        Assert.Equal("1", again.Properties[MessageProperty.DelayTimeLevel]);
        Assert.Equal("false", again.Properties[MessageProperty.WaitStoreMessageOk]);
        Assert.Equal(("a", "k1 k2", "C000", "värde"), (
            again.Properties["TAGS"], again.Properties["KEYS"], again.Properties["UNIQ_KEY"], again.Properties["own"]));

        // The second time, too, it tells of the first message.
        await BackAsync(peer, Header(again, ShortestDelay));
        ReceivedMessage third = await peer.ReadAsync(RetryTopic, 1);
        Assert.Equal(2, third.ReconsumeTimes);
        Assert.Equal(
            (Topic, IdOf(first)), (third.Properties[MessageProperty.RetryTopic], third.Properties[MessageProperty.OriginMessageId]));
    }

    [Theory]
    [InlineData(-1, 16)]
    [InlineData(1, 0)]
    [InlineData(0, 0)]
    public async Task SentBack_TriedOftenEnough_IsADeadLetter(int delayLevel, int maxReconsumeTimes)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);

        await BackAsync(peer, Header(first, delayLevel) with { MaxReconsumeTimes = maxReconsumeTimes });
        ReceivedMessage dead = await peer.ReadAsync(DeadLetters, 0);

        Assert.Equal(1, dead.ReconsumeTimes);
        Assert.Equal("0", dead.Properties[MessageProperty.DelayTimeLevel]);
        Assert.Equal(
            (Topic, IdOf(first)), (dead.Properties[MessageProperty.RetryTopic], dead.Properties[MessageProperty.OriginMessageId]));
        Assert.Equal("värde", dead.Properties["own"]);
        Assert.Equal(0, await peer.MaxOffsetAsync(RetryTopic));

        TopicConfig config = await ConfigAsync(peer, DeadLetters);
        Assert.Equal((1, 1, 6), (config.ReadQueueNums, config.WriteQueueNums, config.Perm));
    }

    [Fact]
    public async Task SentBack_WithoutALimitOfTheClient_TheGroupsCounts()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Group, RetryMaxTimes = 1, RetryQueueNums = 1 });
        ReceivedMessage first = await StoreAsync(peer);

        await BackAsync(peer, Header(first, ShortestDelay));
        ReceivedMessage again = await peer.ReadAsync(RetryTopic, 0);
        await BackAsync(peer, Header(again, ShortestDelay));

        Assert.Equal(2, (await peer.ReadAsync(DeadLetters, 0)).ReconsumeTimes);
        Assert.Equal(1, await peer.MaxOffsetAsync(RetryTopic));
    }

    [Fact]
    public async Task SentBack_GroupWithoutRetryQueues_IsDropped()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Group, RetryQueueNums = 0 });
        ReceivedMessage first = await StoreAsync(peer);

        await BackAsync(peer, Header(first, ShortestDelay));

        RemotingCommand topic = await peer.AskAsync(RequestCode.GetTopicConfig, new TopicHeader(RetryTopic));
        Assert.Equal(ResponseCode.TopicNotExist, topic.ResponseCode);
    }

    [Fact]
    public async Task RetryTopic_HasTheGroupsQueuesAndTheUnitsFlag_AndKeepsThem()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Group, RetryQueueNums = 3 });
        ReceivedMessage first = await StoreAsync(peer);
        await BackAsync(peer, Header(first, ShortestDelay) with { UnitMode = true });

        TopicConfig config = await ConfigAsync(peer, RetryTopic);
        Assert.Equal((3, 3, 6, 2), (config.ReadQueueNums, config.WriteQueueNums, config.Perm, config.TopicSysFlag));

        // More queues of the group do not give the topic more: nothing may be stored where nobody reads.
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Group, RetryQueueNums = 1_000 });
        for (int i = 0; i < 20; i++)
        {
            await BackAsync(peer, Header(first, ShortestDelay));
        }

        await WaitForSumAsync(peer, RetryTopic, queues: 3, messages: 21);
    }

    [Fact]
    public async Task SentBack_NoSuchGroup_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        Peer peer = broker.Connect("c");
        await RefusedAsync(peer, ResponseCode.SubscriptionGroupNotExist, new ConsumerSendMessageBackHeader
        {
            Group = Group,
            PhysicalOffset = 0,
            DelayLevel = 0,
        });
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task SentBack_NoMessageThere_IsRefused(long offset)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);
        await RefusedAsync(peer, ResponseCode.SystemError, Header(first, ShortestDelay) with { PhysicalOffset = offset });
    }

    [Fact]
    public async Task SentBack_BrokerOrRetryTopicNotWritable_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(RetryTopic, 1, permission: 4)).ResponseCode);
        await RefusedAsync(peer, ResponseCode.NoPermission, Header(first, ShortestDelay));

        RemotingCommand reply = await peer.AskAsync(
            RequestCode.UpdateBrokerConfig, default(NoHeader), Encoding.UTF8.GetBytes("brokerPermission=4\n"));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        await RefusedAsync(peer, ResponseCode.NoPermission, Header(first, -1));
    }

    [Fact]
    public async Task SentBack_IsCounted_ByTheTopicThatItWasSentTo()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);
        await BackAsync(peer, Header(first, ShortestDelay));
        await BackAsync(peer, Header(await peer.ReadAsync(RetryTopic, 0), -1));

        RemotingCommand reply = await peer.AskAsync(
            RequestCode.ViewBrokerStatsData, new ViewBrokerStatsDataHeader { StatsName = "SNDBCK_PUT_NUMS", StatsKey = $"{Topic}@{Group}" });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        using var http = new HttpClient();
        string metrics = await http.GetStringAsync(new Uri($"http://{broker.Http}/metrics"), TestContext.Current.CancellationToken);
        string line = Assert.Single(
            metrics.Split('\n'), line => line.StartsWith("rocketmq_send_to_dlq_messages_total{", StringComparison.Ordinal));
        Assert.Contains($"consumer_group=\"{Group}\",topic=\"{Topic}\"", line, StringComparison.Ordinal);
        Assert.EndsWith(" 1", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SentBack_BrokerRestarted_IsThereOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("flushDiskType", "SYNC_FLUSH"));
        Peer peer = broker.Connect("c");
        ReceivedMessage first = await StoreAsync(peer);
        await BackAsync(peer, Header(first, ShortestDelay));
        await broker.RestartAsync();

        peer = broker.Connect("c");
        ReceivedMessage again = await peer.ReadAsync(RetryTopic, 0);
        await BackAsync(peer, Header(again, -1));
        await broker.RestartAsync();

        peer = broker.Connect("c");
        Assert.Equal(2, (await peer.ReadAsync(DeadLetters, 0)).ReconsumeTimes);
        Assert.Equal(1, await peer.MaxOffsetAsync(RetryTopic));
        Assert.Equal(1, await peer.MaxOffsetAsync(DeadLetters));
    }

    private static async Task<ReceivedMessage> StoreAsync(Peer peer)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, properties: Sent));
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return await peer.ReadAsync(Topic, 0);
    }

    private static ConsumerSendMessageBackHeader Header(ReceivedMessage message, int delayLevel) => new()
    {
        Group = Group,
        PhysicalOffset = message.PhysicalOffset,
        DelayLevel = delayLevel,
        OriginTopic = Topic,
        OriginMessageId = "C000",
    };

    private static string IdOf(ReceivedMessage message) => message.OffsetMessageId;

    private static async Task BackAsync(Peer peer, ConsumerSendMessageBackHeader header)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.ConsumerSendMessageBack, header);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static async Task RefusedAsync(Peer peer, ResponseCode code, ConsumerSendMessageBackHeader header)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.ConsumerSendMessageBack, header);
        Assert.Equal(code, reply.ResponseCode);
        Assert.False(string.IsNullOrEmpty(reply.Remark));
    }

    private static async Task PutGroupAsync(Peer peer, SubscriptionGroupConfig group)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(group));
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static Task<TopicConfig> ConfigAsync(Peer peer, string topic) =>
        peer.AskAsync<TopicHeader, TopicConfig>(RequestCode.GetTopicConfig, new TopicHeader(topic));

    private static Task WaitForSumAsync(Peer peer, string topic, int queues, long messages) => Eventually.TrueAsync(
        async () =>
        {
            long sum = 0;
            for (int queue = 0; queue < queues; queue++)
            {
                sum += await peer.MaxOffsetAsync(topic, queue);
            }

            return sum == messages;
        },
        $"{topic} has {messages} messages");
}
