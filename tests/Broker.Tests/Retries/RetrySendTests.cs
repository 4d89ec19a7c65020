using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Retries;

/// <summary>Ordinary sends to a retry topic, against RocketMQ 5.3.3's handleRetryAndDLQ.</summary>
public sealed class RetrySendTests
{
    private const string RetryTopic = "%RETRY%GRETRY";
    private const string DeadLetters = "%DLQ%GRETRY";

    [Theory]
    [InlineData(2, 2, RetryTopic)]
    [InlineData(3, 2, DeadLetters)]
    [InlineData(16, null, RetryTopic)]
    [InlineData(17, null, DeadLetters)]
    public async Task Sent_GoesWhereItsAttemptsSay(int reconsumeTimes, int? maxReconsumeTimes, string expected)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await StoreAsync(peer, Header(RetryTopic, reconsumeTimes, maxReconsumeTimes));

        ReceivedMessage stored = await peer.ReadAsync(expected, 0);
        Assert.Equal(reconsumeTimes, stored.ReconsumeTimes);
        Assert.Equal("Orders", stored.Properties[MessageProperty.RetryTopic]);
        Assert.Equal(
            expected == DeadLetters ? "-1" : null, stored.Properties.GetValueOrDefault(MessageProperty.DelayTimeLevel));
    }

    [Fact]
    public async Task Sent_TooOften_ThoughDelayed_IsADeadLetterAtOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        SendMessageHeader header = Header(RetryTopic, reconsumeTimes: 1, maxReconsumeTimes: 0);
        await StoreAsync(peer, header with { Properties = (byte[])[.. header.Properties.Span, .. "DELAY\u000118\u0002"u8] });
        Assert.Equal("-1", (await peer.ReadAsync(DeadLetters, 0)).Properties[MessageProperty.DelayTimeLevel]);
    }

    [Fact]
    public async Task Sent_GroupThatHoldsALock_IsADeadLetter()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await StoreAsync(peer, Sends.Header("Orders"));
        LockBatchResponseBody locked = await peer.AskAsync<NoHeader, LockBatchResponseBody>(
            RequestCode.LockBatchMQ,
            default,
            BodyCodec.Encode(new LockBatchRequestBody
            {
                ConsumerGroup = "GRETRY",
                ClientId = "c",
                MqSet = [new MessageQueue("Orders", RunningBroker.Name, 0)],
            }));
        Assert.Single(locked.LockedQueues);

        await StoreAsync(peer, Header(RetryTopic, reconsumeTimes: 0, maxReconsumeTimes: 16));
        Assert.Equal("-1", (await peer.ReadAsync(DeadLetters, 0)).Properties[MessageProperty.DelayTimeLevel]);
    }

    [Fact]
    public async Task Sent_NoSuchGroup_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        await broker.Connect("c").RefusedAsync(ResponseCode.SubscriptionGroupNotExist, Header(RetryTopic, 0, null));
    }

    [Theory]
    [InlineData("G", "%DLQ%G")]
    [InlineData("G_Orders", "%DLQ%G_Orders")]
    public async Task Sent_ToTheRetryTopicOfAPop_IsForTheGroupThatIsThere(string group, string expected)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        Peer peer = broker.Connect("c");
        foreach (string name in (string[])["G", group])
        {
            RemotingCommand put = await peer.AskAsync(
                RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(new SubscriptionGroupConfig { GroupName = name }));
            Assert.Equal(ResponseCode.Success, put.ResponseCode);
        }

        await StoreAsync(peer, Header("%RETRY%G_Orders", reconsumeTimes: 1, maxReconsumeTimes: 0));

        Assert.Equal("Orders", (await peer.ReadAsync(expected, 0)).Properties[MessageProperty.RetryTopic]);
    }

    [Theory]
    [InlineData("%RETRY%G_Orders", "G_Orders")]
    [InlineData("%RETRY%G+Orders", "G")]
    [InlineData("%RETRY%+Orders", "+Orders")]
    public void GroupOf_RetryTopic_IsReadAsByRocketMq(string topic, string group) =>
        Assert.Equal(group, RetryTopics.GroupOf(new Topics.Topic(new TopicConfig { TopicName = topic }, isSystem: false)));

    [Theory]
    [InlineData(120, 3, 7)]
    [InlineData(121, 3, 3)]
    [InlineData(479, null, 7)]
    public void MaxReconsumeTimes_IsTheClients_SinceClientsTellIt(short version, int? ofClient, int expected) =>
        Assert.Equal(
            expected, RetrySends.MaxReconsumeTimes(new SubscriptionGroupConfig { RetryMaxTimes = 7 }, ofClient, version));

    private static SendMessageHeader Header(string topic, int reconsumeTimes, int? maxReconsumeTimes) =>
        Sends.Header(topic, properties: Sends.Properties(("RETRY_TOPIC", "Orders"))) with
        {
            ReconsumeTimes = reconsumeTimes,
            MaxReconsumeTimes = maxReconsumeTimes,
        };

    private static async Task StoreAsync(Peer peer, SendMessageHeader header)
    {
        RemotingCommand reply = await peer.SendAsync(header);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }
}
