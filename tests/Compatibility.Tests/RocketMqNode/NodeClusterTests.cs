using System.Diagnostics;
using System.Globalization;
using GrayMQ.Client.Admin;
using GrayMQ.Compatibility.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>Two brokers behind one name server: a client that was told one of them finds the other, and does without it when it leaves.</summary>
public sealed class NodeClusterTests(NodePackage package) : IClassFixture<NodePackage>
{
    private const string Topic = "NodeTopic";
    private const string Group = "GID_node";
    private const string Other = "broker-b";
    private const string Warm = "warm";
    private const int Round = 20;

    // A leaving broker is quiet soon, though this client goes by the route that it was told first: its first tries are refused. Without that
    // it would be sent to until the limit, which is far behind the test's.
    private static readonly string[] QuickDrain = ["drainQuietMs=1000", "drainMaxMs=600000", "drainConsumersMs=5000", "warmupMs=0"];

    [Fact]
    public async Task Client_ToldOneBroker_UsesBoth_AndSeesNoErrorWhenOneIsDrainedAndStopped()
    {
        await using TestServers servers = await TestServers.StartWithGrpcAsync(QuickDrain);
        TestBroker other = await servers.StartAnotherAsync(Other, QuickDrain);
        await servers.CreateTopicAsync(Topic, queues: 4);
        await using var admin = new AdminClient(new AdminOptions { NameServers = servers.NameServer.ToString() });
        await using NodeClient consumer = NodeClient.Open(package, servers.Grpc);
        await consumer.ConsumeAsync(Group, Topic);
        await using NodeClient producer = NodeClient.Open(package, servers.Grpc);
        await producer.ProduceAsync(Topic);
        await SendUntilPushedByAsync(admin, [servers.BrokerAddress, other.Address], producer);
        long before = await CountAsync(admin, servers.BrokerAddress);
        long otherBefore = await CountAsync(admin, other.Address);

        string[] both = await SendAsync(producer, "both", Round);

        await consumer.PushedAsync(both);
        Assert.InRange(await CountAsync(admin, servers.BrokerAddress) - before, 1, Round - 1);
        Assert.InRange(await CountAsync(admin, other.Address) - otherBefore, 1, Round - 1);

        await admin.DrainAsync(other.Address, new DrainBrokerHeader { ScaleIn = false });
        var sent = new List<string>();
        long asked = Stopwatch.GetTimestamp();
        LifecycleReport report;
        for (int round = 0; (report = await admin.GetLifecycleAsync(other.Address)).State != "drained"; round++)
        {
            Assert.True(
                Stopwatch.GetElapsedTime(asked) < NodeClient.Deadline,
                $"not drained within {NodeClient.Deadline.TotalSeconds} s: {report.State}, waits for {report.WaitingFor}");
            sent.AddRange(await SendAsync(producer, string.Create(CultureInfo.InvariantCulture, $"leaving {round}"), 4));
        }

        await other.StopAsync();
        sent.AddRange(await SendAsync(producer, "gone", Round));

        IReadOnlyList<NodeClient.Incoming> received = await consumer.PushedAsync([.. sent]);
        string[] bodies = [.. received.Select(message => message.Body).Where(body => body != Warm)];
        Assert.Equal(both.Concat(sent).Order(StringComparer.Ordinal), bodies.Order(StringComparer.Ordinal));

        // They are not closed: the library tells every broker that it knew, and throws where one is gone.
    }

    private static async Task<string[]> SendAsync(NodeClient producer, string name, int count)
    {
        string[] bodies = [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{name} {i}"))];
        foreach (string body in bodies)
        {
            await producer.SendAsync(new NodeClient.Outgoing(Topic, body));
        }

        return bodies;
    }

    private static async Task<long> CountAsync(AdminClient admin, string broker) =>
        (await admin.GetTopicOffsetsAsync(broker, Topic)).Values.Sum(offsets => offsets.MaxOffset - offsets.MinOffset);

    // A new group begins with what comes next, at each broker by itself: it has begun where it was given something.
    private static async Task SendUntilPushedByAsync(AdminClient admin, string[] brokers, NodeClient producer)
    {
        foreach (string broker in brokers)
        {
            long started = Stopwatch.GetTimestamp();
            while (!(await admin.GetConsumerOffsetsAsync(broker, Group, Topic)).Values.Any(offsets => offsets.ConsumerOffset > 0))
            {
                Assert.True(
                    Stopwatch.GetElapsedTime(started) < NodeClient.Deadline,
                    $"the group was given nothing at {broker} within {NodeClient.Deadline.TotalSeconds} s");
                await producer.SendAsync(new NodeClient.Outgoing(Topic, Warm));
            }
        }
    }
}
