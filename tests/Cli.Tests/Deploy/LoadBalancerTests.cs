using System.Net;
using System.Net.Sockets;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Client.Admin;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Testing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>
/// deploy/haproxy and deploy/nginx, run for real before servers that refuse whoever comes without a header: a broker leaves, stops and comes
/// back under load, and no send fails.
/// </summary>
public sealed class LoadBalancerTests
{
    private const string Topic = "Balanced";

    [Fact]
    public async Task HAProxy_BrokerLeavesAndComesBackUnderLoad_NoSendFails()
    {
        await using BalancedCluster cluster = await BalancedCluster.StartAsync();

        // HAProxy does not start where it may not open as many files; where it listens everywhere, there is nothing before the colon.
        string configuration = await DeployFile.ReadAsync(
            "haproxy/haproxy.cfg",
            [("maxconn 100000", "maxconn 1000"), .. cluster.Addresses(static at => at.Contains(':', StringComparison.Ordinal) ? $"bind {at}\n" : $"bind :{at}\n")]);
        foreach (string broker in cluster.Brokers)
        {
            configuration = CheckedAt(configuration, broker, cluster.HttpPortOf(broker));
        }

        foreach ((int number, string port) in cluster.NameServerHttpPorts.Index())
        {
            configuration = CheckedAt(configuration, $"namesrv-{number + 1}", port);
        }

        await using LoadBalancer haproxy = await LoadBalancer.HAProxyAsync(configuration, cluster.Listening);
        await AssertNoSendFailsAsync(cluster, async () =>
        {
            // What HAProxy asks for tells it that the broker has left: it lets nobody in any more.
            using var deadline = new CancellationTokenSource(TestCommand.Timeout);
            while (await IsServedAsync(cluster.AddressOf("broker-a"), deadline.Token))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), deadline.Token);
            }
        });
    }

    [Fact]
    public async Task Nginx_BrokerLeavesAndComesBackUnderLoad_NoSendFails()
    {
        await using BalancedCluster cluster = await BalancedCluster.StartAsync();
        string configuration = await DeployFile.ReadAsync("nginx/nginx.conf", [.. cluster.Addresses(static at => $"listen {at};")]);
        await using LoadBalancer nginx = await LoadBalancer.NginxAsync(configuration, cluster.Listening);
        await AssertNoSendFailsAsync(cluster, static () => Task.CompletedTask);
    }

    private static async Task AssertNoSendFailsAsync(BalancedCluster cluster, Func<Task> whenLeft)
    {
        (await cluster.RunAsync("topic", "create", Topic, "--queues", "4")).ShouldSucceed();
        await AssertGrpcAnswersAsync(cluster);
        await using var consumer = new RawClient(cluster.AddressOf("broker-a"));
        await consumer.JoinAsync("c1", "G", Topic);
        await using var before = new SteadySender(cluster.NameServers, Topic);
        await before.UntilTakenByAsync("broker-a");
        await before.UntilTakenByAsync("broker-b");

        (await cluster.RunAsync("drain", "broker-a", "--wait")).ShouldSucceed();
        await whenLeft();

        // Who was there before is served until the broker ends.
        await consumer.JoinAsync("c1", "G", Topic);
        await before.UntilTakenByAsync("broker-b");
        await cluster.StopBrokerAsync("broker-a");
        await before.UntilTakenByAsync("broker-b");
        await cluster.StartBrokerAsync("broker-a");
        await before.UntilTakenByAsync("broker-b");
        await before.StopAsync();

        // Whoever was told that a broker leaves keeps away from it for a while; whoever comes now was not.
        await using var after = new SteadySender(cluster.NameServers, Topic);
        await after.UntilTakenByAsync("broker-a");
        await after.StopAsync();
        Assert.Empty(before.Failures.Concat(after.Failures));
        Assert.Equal(before.Count + after.Count, await CountStoredAsync(cluster));
    }

    // A broker refuses a connection whose header is missing; the one that is asked has the load balancer's address in its answer.
    private static async Task AssertGrpcAnswersAsync(BalancedCluster cluster)
    {
        foreach (string broker in cluster.Brokers)
        {
            IPEndPoint address = cluster.GrpcAddressOf(broker);
            using var client = new RawGrpcClient(address);
            RawGrpcClient.Answer answer = await client.CallAsync(
                "/apache.rocketmq.v2.MessagingService/QueryRoute",
                new V2.QueryRouteRequest { Topic = new V2.Resource { Name = Topic } },
                ("x-mq-client-id", "c"),
                ("x-mq-language", "DOTNET"));
            Assert.True(answer.Status == GrpcStatusCode.Ok, $"{broker}: {answer.Status} {answer.Message}");
            V2.QueryRouteResponse route = answer.Only(V2.QueryRouteResponse.Parser);
            Assert.Equal(V2.Code.Ok, route.Status.Code);
            Assert.Contains(route.MessageQueues, queue => queue.Broker.Name == broker && queue.Broker.Endpoints.Addresses.Single().Port == address.Port);
        }
    }

    private static async Task<long> CountStoredAsync(BalancedCluster cluster)
    {
        await using var admin = new AdminClient(new AdminOptions { NameServers = cluster.NameServers });
        long stored = 0;
        foreach (string broker in (string[])["broker-a", "broker-b"])
        {
            IReadOnlyDictionary<MessageQueue, TopicOffset> offsets = await admin.GetTopicOffsetsAsync(cluster.AddressOf(broker), Topic);
            stored += offsets.Values.Sum(offset => offset.MaxOffset - offset.MinOffset);
        }

        return stored;
    }

    // Whether a connection that is made now stays open; one that HAProxy has no server for ends at once.
    private static async Task<bool> IsServedAsync(string address, CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(address), cancel);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            return await socket.ReceiveAsync(new byte[1], patience.Token) != 0;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return true;
        }
    }

    // Servers on one machine cannot all have 8080 for their checks.
    private static string CheckedAt(string configuration, string server, string port)
    {
        string[] lines = configuration.Split('\n');
        string[] changed = [.. lines.Select(line => line.Contains($"  server {server} ", StringComparison.Ordinal)
            ? line.Replace("check port 8080", $"check port {port}", StringComparison.Ordinal)
            : line)];
        Assert.NotEqual(lines, changed);
        return string.Join('\n', changed);
    }
}
