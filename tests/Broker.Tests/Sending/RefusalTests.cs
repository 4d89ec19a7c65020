using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Sending;

/// <summary>What is not taken, with the code that producers act on, and the topics that sends make.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(8, 8)]
    [InlineData(100, 8)]
    public async Task Send_NewTopic_HasAtMostTheTemplatesQueues(int wanted, int queues)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        RemotingCommand reply = await peer.SendAsync(Sends.Header("Orders") with { DefaultTopicQueueNums = wanted });

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        TopicConfig topic = await TopicAsync(peer, "Orders");
        Assert.Equal((queues, queues, 6), (topic.ReadQueueNums, topic.WriteQueueNums, topic.Perm));
    }

    [Fact]
    public async Task Send_NewTopicWithoutTemplate_IsNotMade()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateTopicEnable", "false"));
        Peer peer = broker.Connect("p");

        await peer.RefusedAsync(ResponseCode.TopicNotExist, Sends.Header("Orders"));
        await peer.RefusedAsync(ResponseCode.TopicNotExist, Sends.Header("Orders") with { DefaultTopic = "None"u8.ToArray() });

        // But a consumer's own retries have nothing to do with it.
        Assert.Equal(ResponseCode.Success, (await peer.SendAsync(Sends.Header("%RETRY%G"))).ResponseCode);
        Assert.Equal(1, (await TopicAsync(peer, "%RETRY%G")).WriteQueueNums);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("grüße")]
    [InlineData("")]
    public async Task Send_IllegalTopicName_IsInvalid(string topic)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();

        await broker.Connect("p").RefusedAsync(ResponseCode.InvalidParameter, Sends.Header(topic));
    }

    [Fact]
    public async Task Send_TopicNameOf128_IsInvalid()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        await peer.StoreAsync(new string('t', 127), "fits");
        await peer.RefusedAsync(ResponseCode.InvalidParameter, Sends.Header(new string('t', 128)));
    }

    [Theory]
    [InlineData("SCHEDULE_TOPIC_XXXX")]
    [InlineData("RMQ_SYS_TRANS_HALF_TOPIC")]
    [InlineData("RMQ_SYS_TRANS_OP_HALF_TOPIC")]
    [InlineData("TRANS_CHECK_MAX_TIME_TOPIC")]
    [InlineData("SELF_TEST_TOPIC")]
    [InlineData("OFFSET_MOVED_EVENT")]
    public async Task Send_SystemTopic_IsForbiddenAndNotMade(string topic)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        ResponseCode before = (await peer.AskAsync(RequestCode.GetTopicConfig, new TopicHeader(topic))).ResponseCode;

        await peer.RefusedAsync(ResponseCode.NoPermission, Sends.Header(topic));

        Assert.Equal(before, (await peer.AskAsync(RequestCode.GetTopicConfig, new TopicHeader(topic))).ResponseCode);
    }

    [Fact]
    public async Task Send_WithoutPermission_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync("ReadOnly", 2, permission: 4)).ResponseCode);

        await peer.RefusedAsync(ResponseCode.NoPermission, Sends.Header("ReadOnly"));
    }

    [Fact]
    public async Task Send_BrokerThatOnlyServesReads_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("brokerPermission", "4"));
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Orders", 2);

        await peer.RefusedAsync(ResponseCode.NoPermission, Sends.Header("Orders"));
        Assert.Equal(ResponseCode.PullNotFound, (await peer.PullAsync(Pulls.Header("Orders", 0))).ResponseCode);
    }

    [Fact]
    public async Task Send_QueueId_HasToBeOneOfTheTopicsUnlessTheBrokerChooses()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Orders", 2);

        await peer.RefusedAsync(ResponseCode.InvalidParameter, Sends.Header("Orders", queueId: 2));
        await peer.RefusedAsync(ResponseCode.InvalidParameter, Sends.Header("Orders", queueId: int.MaxValue));
        for (int i = 0; i < 20; i++)
        {
            RemotingCommand reply = await peer.SendAsync(Sends.Header("Orders", queueId: i % 2 == 0 ? -1 : int.MinValue));
            Assert.Equal(ResponseCode.Success, reply.ResponseCode);
            Assert.InRange(reply.Fields.GetInt32("queueId"u8), 0, 1);
        }
    }

    [Fact]
    public async Task Send_TooLarge_IsIllegal()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("maxMessageSize", "1000"));
        Peer peer = broker.Connect("p");

        await peer.StoreAsync("Orders", new string('x', 1000));
        await peer.RefusedAsync(ResponseCode.MessageIllegal, Sends.Header("Orders"), new string('x', 1001));
        await peer.RefusedAsync(
            ResponseCode.MessageIllegal, Sends.Header("Orders", properties: Sends.Properties(("a", new string('p', short.MaxValue - 2)))));

        await peer.DispatchedAsync("Orders", 1);
        Assert.Equal(1, await peer.MaxOffsetAsync("Orders"));
    }

    [Fact]
    public async Task Send_NeitherDelayedNorTransactional_IsTaken()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");

        string properties = Sends.Properties(("DELAY", "0"), ("TRAN_MSG", "false"));
        Assert.Equal(ResponseCode.Success, (await peer.SendAsync(Sends.Header("Orders", properties: properties))).ResponseCode);
        await peer.RefusedAsync(ResponseCode.MessageIllegal, Sends.Header("Orders") with { SysFlag = MessageSysFlag.TransactionPrepared });
        await peer.RefusedAsync(ResponseCode.MessageIllegal, Sends.Header("Orders") with { SysFlag = MessageSysFlag.TransactionRollback });
    }

    [Fact]
    public async Task Batch_ThatDoesNotAddUp_IsStoredNotAtAll()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        await peer.StoreAsync("Orders", "first");
        await peer.StoreAsync("%RETRY%G", "again");
        byte[] good = Batches.Body(("one", ""), ("two", ""));
        byte[] tooLong = [.. good];
        tooLong[3]++;
        byte[] negative = [.. good];
        negative[16] = 0xff;

        foreach (byte[] body in (byte[][])[[], good[..^1], [.. good, 0], tooLong, negative])
        {
            RemotingCommand reply = await peer.AskAsync(RequestCode.SendBatchMessage, Sends.Header("Orders"), body);
            Assert.Equal(ResponseCode.MessageIllegal, reply.ResponseCode);
        }

        RemotingCommand retry = await peer.AskAsync(RequestCode.SendBatchMessage, Sends.Header("%RETRY%G"), good);
        Assert.Equal(ResponseCode.MessageIllegal, retry.ResponseCode);
        await peer.DispatchedAsync("Orders", 1);
        await peer.DispatchedAsync("%RETRY%G", 1);
        Assert.Equal(1, await peer.MaxOffsetAsync("Orders"));
        Assert.Equal(1, await peer.MaxOffsetAsync("%RETRY%G"));
    }

    private static Task<TopicConfig> TopicAsync(Peer peer, string topic) =>
        peer.AskAsync<TopicHeader, TopicConfig>(RequestCode.GetTopicConfig, new TopicHeader(topic));
}
