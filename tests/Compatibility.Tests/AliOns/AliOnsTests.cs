using System.Globalization;
using GrayMQ.Compatibility.Tests.Servers;

namespace GrayMQ.Compatibility.Tests.AliOns;

/// <summary>ali-ons, an independent client in pure JavaScript, produces and consumes.</summary>
public sealed class AliOnsTests(AliOnsPackage package) : IClassFixture<AliOnsPackage>
{
    private const string Topic = "AliOnsTopic";
    private const string Group = "GID_ali_ons";
    private const int CompressedFromBytes = 4096;

    private static readonly int[] AllQueues = [0, 1, 2, 3];

    [Fact]
    public async Task Producer_Sends_ConsumerIsGivenEveryMessageOnce()
    {
        await using TestServers servers = await StartServersAsync();
        await using AliOnsClient producer = await ProducerAsync(servers);
        AliOnsClient.Outgoing[] messages =
        [
            .. Messages("m", 20),
            new(Topic, "TagA", new string('x', 3 * CompressedFromBytes), "compressed"),
            new(Topic, "TagA", "Grüße, 消息", "unicode"),
        ];
        IReadOnlyList<AliOnsClient.Event> sent = await producer.SendAsync(messages);
        Assert.All(sent, result => Assert.Equal("SEND_OK", result.SendStatus));
        Assert.Equal(AllQueues, sent.Select(result => result.QueueId!.Value).Distinct().Order());

        await using AliOnsClient consumer = await ConsumerAsync(servers, "*");
        await consumer.WaitForMessagesAsync([.. messages.Select(message => message.Body)]);
        await consumer.CloseAsync();

        Assert.Equal(messages.Length, consumer.Messages.Count);
        foreach ((AliOnsClient.Outgoing message, AliOnsClient.Event result) in messages.Zip(sent))
        {
            AliOnsClient.Event received = Assert.Single(consumer.Messages, received => received.Body == message.Body);
            Assert.Equal(result.MsgId, received.MsgId);
            Assert.Equal(result.QueueId, received.QueueId);
            Assert.Equal(result.QueueOffset, received.QueueOffset);
            Assert.Equal(message.Tag, received.Tags);
            Assert.Equal(message.Key, received.Keys);
            Assert.Equal(0, received.ReconsumeTimes);
        }

        await producer.CloseAsync();
    }

    [Fact]
    public async Task Consumer_SubscribesToTags_IsGivenNoOther()
    {
        await using TestServers servers = await StartServersAsync();
        await using AliOnsClient producer = await ProducerAsync(servers);
        await producer.SendAsync(
            [.. Messages("a", 8, "TagA"), .. Messages("b", 8, "TagB"), .. Messages("c", 8, "TagC"), .. Messages("last", 4, "TagA")]);

        await using AliOnsClient consumer = await ConsumerAsync(servers, "TagA || TagC");
        string[] wanted = [.. Bodies("a", 8), .. Bodies("c", 8), .. Bodies("last", 4)];
        await consumer.WaitForMessagesAsync(wanted);
        await consumer.CloseAsync();

        Assert.Equal(wanted.Order(StringComparer.Ordinal), consumer.Messages.Select(message => message.Body).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Consumer_ComesBack_GoesOnWhereItHadStopped()
    {
        await using TestServers servers = await StartServersAsync();
        await using AliOnsClient producer = await ProducerAsync(servers);
        await producer.SendAsync(Messages("before", 12));
        await using (AliOnsClient first = await ConsumerAsync(servers, "*"))
        {
            await first.WaitForMessagesAsync(Bodies("before", 12));
            await first.CloseAsync();
        }

        await servers.RestartBrokerAsync();
        await producer.SendAsync(Messages("after", 12));
        await using AliOnsClient second = await ConsumerAsync(servers, "*");
        await second.WaitForMessagesAsync(Bodies("after", 12));
        await second.CloseAsync();

        Assert.DoesNotContain(second.Messages, message => message.Body!.StartsWith("before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Consumers_ComeAndGo_ShareTheQueues()
    {
        await using TestServers servers = await StartServersAsync();
        await using AliOnsClient producer = await ProducerAsync(servers);
        await producer.SendAsync(Messages("create", 4));
        await using AliOnsClient first = await ConsumerAsync(servers, "*");
        await first.WaitForMessagesAsync(Bodies("create", 4));
        await first.WaitForQueuesAsync(queues => queues.SequenceEqual(AllQueues), "the first consumer has all queues");

        await using AliOnsClient second = await ConsumerAsync(servers, "*");
        await first.WaitForQueuesAsync(queues => queues.Count == 2, "the first consumer has half of the queues");
        await second.WaitForQueuesAsync(queues => queues.Count == 2, "the second consumer has half of the queues");
        Assert.Equal(AllQueues, first.Queues.Concat(second.Queues).Order());

        IReadOnlyList<AliOnsClient.Event> shared = await producer.SendAsync(Messages("shared", 16));
        await first.WaitForMessagesAsync([.. shared.Where(sent => first.Queues.Contains(sent.QueueId!.Value)).Select(sent => sent.Body!)]);
        await second.WaitForMessagesAsync([.. shared.Where(sent => second.Queues.Contains(sent.QueueId!.Value)).Select(sent => sent.Body!)]);
        await second.CloseAsync();
        await first.WaitForQueuesAsync(queues => queues.SequenceEqual(AllQueues), "the first consumer has all queues again");

        await producer.SendAsync(Messages("alone", 8));
        await first.WaitForMessagesAsync(Bodies("alone", 8));
        await first.CloseAsync();
        Assert.Equal(
            first.Messages.Concat(second.Messages).Count(message => message.Body!.StartsWith("shared", StringComparison.Ordinal)),
            shared.Count);
    }

    [Fact]
    public async Task Broker_RestartsInTheMiddle_ClientsGoOn()
    {
        await using TestServers servers = await StartServersAsync();
        await using AliOnsClient producer = await ProducerAsync(servers);
        await producer.SendAsync(Messages("before", 8));
        await using AliOnsClient consumer = await ConsumerAsync(servers, "*");
        await consumer.WaitForMessagesAsync(Bodies("before", 8));

        await servers.StopBrokerAsync();
        Task<IReadOnlyList<AliOnsClient.Event>> sending = producer.SendAsync(Messages("during", 8));
        await servers.StartBrokerAsync();
        await sending;
        await consumer.WaitForMessagesAsync(Bodies("during", 8));
        await producer.SendAsync(Messages("after", 8));
        await consumer.WaitForMessagesAsync(Bodies("after", 8));
        await consumer.CloseAsync();
        await producer.CloseAsync();
    }

    // ali-ons sends to no topic that does not exist.
    private static async Task<TestServers> StartServersAsync()
    {
        TestServers servers = await TestServers.StartAsync();
        await servers.CreateTopicAsync(Topic, AllQueues.Length);
        return servers;
    }

    private Task<AliOnsClient> ProducerAsync(TestServers servers) =>
        AliOnsClient.StartProducerAsync(package, servers.NameServer.ToString(), "PID_ali_ons");

    private Task<AliOnsClient> ConsumerAsync(TestServers servers, string expression) =>
        AliOnsClient.StartConsumerAsync(package, servers.NameServer.ToString(), Group, Topic, expression);

    private static AliOnsClient.Outgoing[] Messages(string prefix, int count, string tag = "TagA") =>
        [.. Bodies(prefix, count).Select(body => new AliOnsClient.Outgoing(Topic, tag, body, $"key-{body}"))];

    private static string[] Bodies(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(index => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{index}"))];
}
