using System.Globalization;
using System.Net;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Http;

public class HttpPagesTests
{
    [Fact]
    public async Task Health_OfARunningBroker_IsLiveAndReady()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = broker.OpenHttp();

        Assert.Equal("live\n", await http.GetStringAsync("/health/live"));
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));
        Assert.Equal(IPAddress.Loopback, broker.Http.Address);
    }

    [Fact]
    public async Task Metrics_AfterTraffic_HoldItUnderRocketMqsNames()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        Peer peer = broker.Connect("c1");
        await peer.HeartbeatAsync("G", [new SubscriptionData { Topic = "T", SubString = "*" }]);
        await peer.HeartbeatAsync("""{"clientID":"c1","producerDataSet":[{"groupName":"P"},{"groupName":"Q"}]}""");
        await RunningBroker.SendAsync(peer, "T", 0, "one");
        await PullAsync(peer, "Watcher", 0);
        await RunningBroker.SendAsync(peer, "T", 0, "two");
        await PullAsync(peer, "G", 1);
        await CommitAsync(peer, 1);
        using HttpClient http = broker.OpenHttp();

        using HttpResponseMessage response = await http.GetAsync("/metrics");
        string[] lines = (await response.Content.ReadAsStringAsync()).Split('\n');

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        const string Node = "node_type=\"broker\",cluster=\"TestCluster\",node_id=\"broker-a\"";
        Assert.Contains($"rocketmq_messages_in_total{{{Node},topic=\"T\",is_system=\"false\"}} 2", lines);
        Assert.Contains(
            $"rocketmq_messages_out_total{{{Node},consumer_group=\"G\",topic=\"T\",is_retry=\"false\",is_system=\"false\"}} 1", lines);
        Assert.Contains(
            $"rocketmq_consumer_lag_messages{{{Node},consumer_group=\"G\",topic=\"T\",is_retry=\"false\",is_system=\"false\"}} 1", lines);
        Assert.Contains($"rocketmq_producer_connections{{{Node},language=\"dotnet\",version=\"479\",protocol_type=\"remoting\"}} 1", lines);
        Assert.Contains(lines, line => line.StartsWith($"rocketmq_consumer_connections{{{Node},consumer_group=\"G\",", StringComparison.Ordinal));
        Assert.Contains("# TYPE rocketmq_messages_in_total counter", lines);
        string[] withoutLabels = ["rocketmq_storage_size", "rocketmq_storage_flush_behind_bytes", "rocketmq_topic_number"];
        Assert.All(withoutLabels, name => Assert.Contains(lines, line => line.StartsWith(name + "{", StringComparison.Ordinal)));
        Assert.All(lines.Where(line => line.Length > 0 && line[0] != '#'), line =>
            Assert.True(double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out _), line));
    }

    private static async Task PullAsync(Peer peer, string group, long offset)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
        {
            ConsumerGroup = System.Text.Encoding.UTF8.GetBytes(group),
            Topic = "T"u8.ToArray(),
            QueueOffset = offset,
            MaxMessages = 1,
            SysFlag = PullSysFlag.Subscription | PullSysFlag.Suspend,
            SuspendTimeoutMs = 15_000,
            Subscription = "*"u8.ToArray(),
        });
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static async Task CommitAsync(Peer peer, long offset)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = "G"u8.ToArray(),
            Topic = "T"u8.ToArray(),
            CommitOffset = offset,
        });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }
}
