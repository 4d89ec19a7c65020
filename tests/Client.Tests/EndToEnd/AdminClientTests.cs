using GrayMQ.Client.Admin;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.EndToEnd;

public class AdminClientTests
{
    [Fact]
    public async Task AdminClient_LooksAtClients()
    {
        await using TestCluster cluster = await TestCluster.StartAsync("a");
        await cluster.CreateTopicAsync("orders", queues: 2);
        await using var admin = new AdminClient(new AdminOptions { NameServers = cluster.NameServers });
        await using var producer = new Producer(new ProducerOptions { NameServers = cluster.NameServers, Group = "pg" });
        await using var consumer = new PushConsumer(
            new PushConsumerOptions { NameServers = cluster.NameServers, Group = "cg", Subscriptions = { ["orders"] = "*" } },
            (_, _) => new(ConsumeResult.Success));
        await consumer.StartAsync();
        string address = (await admin.DescribeClusterAsync()).BrokerAddrTable["a"].BrokerAddrs[BrokerData.MasterId];
        var queue = new MessageQueue("orders", "a", 0);
        Assert.Null(await admin.FindEarliestStoreTimeAsync(address, queue));
        Assert.Empty(await admin.GetProducersAsync(address, "pg"));

        DateTimeOffset before = DateTimeOffset.UtcNow;
        await producer.SendAsync(new Message("orders", "x"u8.ToArray()), queue);
        await Eventually.TrueAsync(() => consumer.Queues.Count == 3, "the consumer has its queues, the retry queue among them");

        Assert.InRange(
            (await admin.FindEarliestStoreTimeAsync(address, queue))!.Value,
            before.AddSeconds(-1),
            DateTimeOffset.UtcNow.AddSeconds(1));
        await Eventually.TrueAsync(
            () => admin.GetProducersAsync(address, "pg").Result is [{ Language: "DOTNET" } only] && only.ClientId == producer.ClientId,
            "the producer is known");
        Assert.Contains("cg", await admin.GetGroupsOfTopicAsync(address, "orders"));
        ConsumerRunningInfo info = await admin.GetRunningInfoAsync(address, "cg", consumer.ClientId);
        Assert.Contains(queue, info.MqTable.Keys);
        Assert.Equal("a", (await admin.GetBrokerConfigAsync(address))["brokerName"]);
    }

    [Theory]
    [InlineData("a=1\nb = x=y \n#c=2\n\nno value", "a:1 b:x=y")]
    [InlineData("", "")]
    public void PropertiesText_IsRead(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', PropertiesText.Read(text).Select(pair => $"{pair.Key}:{pair.Value}")));

    [Fact]
    public void PropertiesText_IsWrittenSafely()
    {
        Assert.Equal("a=1\nb=x=y\n", PropertiesText.Write(new Dictionary<string, string> { ["a"] = "1", ["b"] = "x=y" }));
        Assert.Throws<ArgumentException>(() => PropertiesText.Write(new Dictionary<string, string> { ["a"] = "1\nb=2" }));
        Assert.Throws<ArgumentException>(() => PropertiesText.Write(new Dictionary<string, string> { ["a=b"] = "1" }));
    }
}
