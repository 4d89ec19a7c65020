using System.Globalization;
using GrayMQ.Compatibility.Tests.AliOns;
using GrayMQ.Compatibility.Tests.Servers;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>Apache's client of the 5.x line for Node.js produces and consumes by gRPC, at the broker itself.</summary>
public sealed class NodeClientTests(NodePackage package, AliOnsPackage remoting) : IClassFixture<NodePackage>, IClassFixture<AliOnsPackage>
{
    private const string Topic = "NodeTopic";
    private const string Group = "GID_node";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SimpleConsumer_ReceivesAndAcks_EveryMessageOnceWithAllThatWasSaid(bool tls)
    {
        string? certificate = tls ? TestCertificate.Create() : null;
        await using TestServers servers = await StartServersAsync(TestCertificate.Settings(certificate));
        await using NodeClient consumer = NodeClient.Open(package, servers.Grpc, certificate);
        await consumer.ReceiveFromAsync(Group, Topic);
        Assert.Empty(await consumer.ReceiveAsync(1));
        await using NodeClient producer = NodeClient.Open(package, servers.Grpc, certificate);
        await producer.ProduceAsync(Topic);
        var sent = new List<NodeClient.Receipt>();
        for (int i = 0; i < 10; i++)
        {
            sent.Add(await producer.SendAsync(new NodeClient.Outgoing(Topic, Body(i))
            {
                Tag = "TagA",
                Keys = ["k1", "k2"],
                Properties = new Dictionary<string, string> { ["colour"] = "grün" },
            }));
        }

        IReadOnlyList<NodeClient.Incoming> received = await consumer.ReceiveAllAsync([.. Enumerable.Range(0, 10).Select(Body)]);

        Assert.Equal(10, received.Count);
        foreach ((NodeClient.Receipt receipt, int i) in sent.Select((receipt, i) => (receipt, i)))
        {
            NodeClient.Incoming message = Assert.Single(received, message => message.Body == Body(i));
            Assert.Equal(receipt.MessageId, message.MessageId);
            Assert.Equal("TagA", message.Tag);
            Assert.Equal(["k1", "k2"], message.Keys);
            Assert.Equal(new Dictionary<string, string> { ["colour"] = "grün" }, message.Properties);
            Assert.Equal(1, message.DeliveryAttempt);
            Assert.False(message.Corrupted);
        }

        await producer.CloseAsync();
        await consumer.CloseAsync();
    }

    [Fact]
    public async Task SimpleConsumer_DoesNotAck_IsGivenTheMessageAgain_AndSoonerWhenItSaysSo()
    {
        await using TestServers servers = await StartServersAsync();
        await using NodeClient consumer = await ReceiverAsync(servers, "*");
        await using NodeClient producer = await ProducerAsync(servers);
        await producer.SendAsync(new NodeClient.Outgoing(Topic, "again"));
        NodeClient.Incoming first = await ReceiveOneAsync(consumer);
        Assert.Equal(1, first.DeliveryAttempt);

        await consumer.ChangeInvisibleAsync(first, 100);
        NodeClient.Incoming second = await ReceiveOneAsync(consumer);

        Assert.Equal("again", second.Body);
        Assert.Equal(first.MessageId, second.MessageId);
        Assert.Equal(2, second.DeliveryAttempt);
        await consumer.AckAsync(second);
        await Assert.ThrowsAsync<NodeClientException>(() => consumer.AckAsync(first));
    }

    [Theory]
    [InlineData("TagA || TagC", false)]
    [InlineData("TAGS IN ('TagA', 'TagC') AND weight > 3", true)]
    public async Task SimpleConsumer_WithAnExpression_IsGivenNothingElse(string expression, bool sql)
    {
        await using TestServers servers = await StartServersAsync(["enablePropertyFilter=true"]);
        await using NodeClient consumer = await ReceiverAsync(servers, expression, sql);
        await using NodeClient producer = await ProducerAsync(servers);
        foreach (string tag in new[] { "TagA", "TagB", "TagC" })
        {
            foreach (int i in Enumerable.Range(0, 3))
            {
                await producer.SendAsync(new NodeClient.Outgoing(Topic, $"{tag}-{i}")
                {
                    Tag = tag,
                    Properties = new Dictionary<string, string> { ["weight"] = "5" },
                });
            }
        }

        string[] wanted = ["TagA-0", "TagA-1", "TagA-2", "TagC-0", "TagC-1", "TagC-2"];
        IReadOnlyList<NodeClient.Incoming> received = await consumer.ReceiveAllAsync(wanted);
        Assert.Equal(wanted, received.Select(message => message.Body).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task PushConsumer_Fails_IsGivenTheMessageAgainUntilItIsDeadLettered()
    {
        await using TestServers servers = await StartServersAsync();
        await servers.CreateGroupAsync(Group, orderly: false, retryMaxTimes: 1);
        await using NodeClient consumer = NodeClient.Open(package, servers.Grpc);
        await consumer.ConsumeAsync(Group, Topic, "bad");
        await using NodeClient producer = await ProducerAsync(servers);
        await producer.SendUntilPushedAsync(Topic, "first", consumer);
        await producer.SendAsync(new NodeClient.Outgoing(Topic, "good"));
        await producer.SendAsync(new NodeClient.Outgoing(Topic, "bad"));

        IReadOnlyList<NodeClient.Incoming> received = await consumer.PushedAsync("good", "bad", "bad");

        Assert.Single(received, message => message.Body == "good");
        Assert.Equal([1, 2], received.Where(message => message.Body == "bad").Select(message => message.DeliveryAttempt));
        await servers.WaitForMessagesAsync($"%DLQ%{Group}", 1);
    }

    [Fact]
    public async Task FifoPushConsumer_IsGivenAGroupsMessagesInTheirOrder_AndForwardsWhatItCannotHandle()
    {
        await using TestServers servers = await StartServersAsync();
        await servers.CreateGroupAsync(Group, orderly: true, retryMaxTimes: 1);
        await using NodeClient consumer = NodeClient.Open(package, servers.Grpc);
        await consumer.ConsumeAsync(Group, Topic, Body(5));
        await using NodeClient producer = await ProducerAsync(servers);
        await producer.SendUntilPushedAsync(Topic, "first", consumer);
        string[] bodies = [.. Enumerable.Range(0, 12).Select(Body)];
        foreach (string body in bodies)
        {
            await producer.SendAsync(new NodeClient.Outgoing(Topic, body) { MessageGroup = "order-4711" });
        }

        IReadOnlyList<NodeClient.Incoming> received = await consumer.PushedAsync(bodies);

        Assert.Equal(bodies, received.Where(message => message.MessageGroup == "order-4711").Select(message => message.Body).Distinct());
        await servers.WaitForMessagesAsync($"%DLQ%{Group}", 1);
    }

    [Fact]
    public async Task Producer_Delays_AndRecalls()
    {
        await using TestServers servers = await StartServersAsync();
        await using NodeClient consumer = await ReceiverAsync(servers, "*");
        await using NodeClient producer = await ProducerAsync(servers);
        NodeClient.Receipt recalled =
            await producer.SendAsync(new NodeClient.Outgoing(Topic, "recalled") { DelayMs = 20_000 });
        Assert.False(string.IsNullOrEmpty(recalled.RecallHandle));
        Assert.Equal(recalled.MessageId, await producer.RecallAsync(Topic, recalled.RecallHandle!));
        await producer.SendAsync(new NodeClient.Outgoing(Topic, "delayed") { DelayMs = 22_000 });
        await producer.SendAsync(new NodeClient.Outgoing(Topic, "at once"));

        IReadOnlyList<NodeClient.Incoming> received = await consumer.ReceiveAllAsync(["at once", "delayed"]);

        Assert.Equal(["at once", "delayed"], received.Select(message => message.Body));
    }

    [Fact]
    public async Task Transactions_AreCommittedRolledBackAndAskedAbout()
    {
        await using TestServers servers = await StartServersAsync(["transactionTimeOut=1000", "transactionCheckInterval=500"]);
        await using NodeClient consumer = await ReceiverAsync(servers, "*");
        await using NodeClient producer = NodeClient.Open(package, servers.Grpc);
        await producer.ProduceAsync(Topic, check: "commit");
        await producer.SendInTransactionAsync(Topic, "rolled back", "rollback");
        await producer.SendInTransactionAsync(Topic, "committed", "commit");
        await producer.SendInTransactionAsync(Topic, "asked about", null);

        IReadOnlyList<NodeClient.Incoming> received = await consumer.ReceiveAllAsync(["committed", "asked about"]);

        Assert.Equal(["asked about", "committed"], received.Select(message => message.Body).Order(StringComparer.Ordinal));
        Assert.Contains(await producer.CheckedAsync(), message => message.Body == "asked about");
    }

    [Fact]
    public async Task RemotingProducerAndConsumer_MeetGrpcOnes()
    {
        await using TestServers servers = await StartServersAsync();
        await using NodeClient grpcConsumer = await ReceiverAsync(servers, "*");
        await using NodeClient grpcProducer = await ProducerAsync(servers);
        await using AliOnsClient remotingProducer =
            await AliOnsClient.StartProducerAsync(remoting, servers.NameServer.ToString(), "GID_remoting_producer");
        string large = new('x', 10_000);
        await remotingProducer.SendAsync(
            new AliOnsClient.Outgoing(Topic, "TagR", "from remoting", "key"), new AliOnsClient.Outgoing(Topic, "TagR", large));

        IReadOnlyList<NodeClient.Incoming> received = await grpcConsumer.ReceiveAllAsync(["from remoting", large]);
        Assert.All(received, message => Assert.False(message.Corrupted));
        Assert.Equal(["key"], Assert.Single(received, message => message.Body == "from remoting").Keys);

        await grpcProducer.SendAsync(new NodeClient.Outgoing(Topic, "from gRPC") { Tag = "TagG", Keys = ["key"] });
        await using AliOnsClient remotingConsumer =
            await AliOnsClient.StartConsumerAsync(remoting, servers.NameServer.ToString(), "GID_remoting", Topic, "TagG");
        await remotingConsumer.WaitForMessagesAsync(["from gRPC"]);
        AliOnsClient.Event met = Assert.Single(remotingConsumer.Messages);
        Assert.Equal("TagG", met.Tags);
        Assert.Equal("key", met.Keys);
    }

    private static string Body(int i) => string.Create(CultureInfo.InvariantCulture, $"message {i}");

    private static async Task<NodeClient.Incoming> ReceiveOneAsync(NodeClient consumer)
    {
        while (true)
        {
            if (await consumer.ReceiveAsync(1) is [var message])
            {
                return message;
            }
        }
    }

    private static async Task<TestServers> StartServersAsync(string[]? settings = null)
    {
        TestServers servers = await TestServers.StartWithGrpcAsync(settings ?? []);
        await servers.CreateTopicAsync(Topic, queues: 4);
        return servers;
    }

    private async Task<NodeClient> ProducerAsync(TestServers servers)
    {
        NodeClient producer = NodeClient.Open(package, servers.Grpc);
        await producer.ProduceAsync(Topic);
        return producer;
    }

    // Its first receive settles where the group begins.
    private async Task<NodeClient> ReceiverAsync(TestServers servers, string expression, bool sql = false)
    {
        NodeClient consumer = NodeClient.Open(package, servers.Grpc);
        await consumer.ReceiveFromAsync(Group, Topic, expression, sql);
        await consumer.ReceiveAsync(1);
        return consumer;
    }
}
