using System.Globalization;
using GrayMQ.Client.Admin;
using GrayMQ.Compatibility.Tests.Servers;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>A gray release of a service whose clients know nothing of gray: the broker chooses the queues for them.</summary>
public sealed class NodeGrayTests(NodePackage package) : IClassFixture<NodePackage>
{
    private const string Topic = "NodeOrders";
    private const string Group = "GID_node_orders";
    private const string By = "test";
    private const string Warm = "warm";
    private const int Queues = 6;
    private const int Round = 12;

    private static readonly Dictionary<string, string> Mark = new() { [GrayMark.Property] = GrayMark.Value };

    [Fact]
    public async Task Release_OpenedAndPromoted_EachMessageByItsSideAndNoneTwice()
    {
        await using TestServers servers = await TestServers.StartWithGrpcAsync("grayAskIntervalMs=100", "grayReportIntervalMs=100");
        await servers.CreateTopicAsync(Topic, Queues);
        await using var admin = new AdminClient(new AdminOptions { NameServers = servers.NameServer.ToString() });
        await using NodeClient producer = NodeClient.Open(package, servers.Grpc);
        await producer.ProduceAsync(Topic);
        await using NodeClient v1 = NodeClient.Open(package, servers.Grpc);
        await v1.ConsumeAsync(Group, Topic);
        await producer.SendUntilPushedAsync(Topic, Warm, v1);
        await ChangeAsync(admin, new GrayCommand { Action = GrayAction.EnableTopic, Topic = Topic, Size = 2 });
        await EndedAsync(admin);

        await using NodeClient v2 = NodeClient.Open(package, servers.Grpc);
        await ChangeAsync(admin, new GrayCommand { Action = GrayAction.Open, Group = Group });
        await ChangeAsync(admin, new GrayCommand
        {
            Action = GrayAction.AddRule,
            Group = Group,
            ClientGlob = string.Create(CultureInfo.InvariantCulture, $"*@{v2.ProcessId}@*"),
        });
        await v2.ConsumeAsync(Group, Topic);
        await UntilGrayQueuesAreGraysAsync(admin, servers.BrokerAddress);
        (string[] normal, string[] gray) = await SendAsync(producer, "open");

        IReadOnlyList<NodeClient.Incoming> ofV1 = await v1.PushedAsync(normal);
        IReadOnlyList<NodeClient.Incoming> ofV2 = await v2.PushedAsync(gray);
        Assert.Equal(normal.Order(StringComparer.Ordinal), Bodies(ofV1));
        Assert.Equal(gray.Order(StringComparer.Ordinal), Bodies(ofV2));
        Assert.All(ofV2, message => Assert.Equal(GrayMark.Value, message.Properties[GrayMark.Property]));

        // What is still on its way belongs to its side, too.
        (string[] lateNormal, string[] lateGray) = await SendAsync(producer, "late");
        await ChangeAsync(admin, new GrayCommand { Action = GrayAction.Promote, Group = Group });
        await v1.PushedAsync(lateNormal);
        await v2.PushedAsync(lateGray);
        await EndedAsync(admin);
        (string[] afterNormal, string[] afterGray) = await SendAsync(producer, "after");
        string[] all = [.. normal, .. gray, .. lateNormal, .. lateGray, .. afterNormal, .. afterGray];

        IReadOnlyList<string> consumed = await UntilConsumedAsync(all.Length, v1, v2);

        Assert.Equal(all.Order(StringComparer.Ordinal), consumed);
        await v2.CloseAsync();
        await v1.CloseAsync();
        await producer.CloseAsync();
    }

    private static async Task<(string[] Normal, string[] Gray)> SendAsync(NodeClient producer, string phase)
    {
        string[] normal = [.. Enumerable.Range(0, Round).Select(i => string.Create(CultureInfo.InvariantCulture, $"{phase} normal {i}"))];
        string[] gray = [.. Enumerable.Range(0, Round).Select(i => string.Create(CultureInfo.InvariantCulture, $"{phase} gray {i}"))];
        for (int i = 0; i < Round; i++)
        {
            await producer.SendAsync(new NodeClient.Outgoing(Topic, normal[i]));
            await producer.SendAsync(new NodeClient.Outgoing(Topic, gray[i]) { Properties = Mark });
        }

        return (normal, gray);
    }

    private static async Task ChangeAsync(AdminClient admin, GrayCommand command) => await admin.ChangeGrayStateAsync(command, By);

    private static Task EndedAsync(AdminClient admin) =>
        Eventually.TrueAsync(async () => (await admin.GetGrayStatusAsync()).Changes.Count == 0, "what was begun ends", NodeClient.Deadline);

    private static Task UntilGrayQueuesAreGraysAsync(AdminClient admin, string broker) => Eventually.TrueAsync(
        async () =>
        {
            BrokerGrayStatus status = await admin.GetBrokerGrayStatusAsync(broker, Group, Topic);
            return status.Queues.Where(queue => queue.QueueId is 0 or Queues - 1).Count(queue => queue.Owner == "GRAY") == 2;
        },
        "the gray queues are handed to v2",
        NodeClient.Deadline);

    private static async Task<IReadOnlyList<string>> UntilConsumedAsync(int count, params NodeClient[] consumers)
    {
        List<string> consumed = [];
        await Eventually.TrueAsync(
            async () =>
            {
                consumed = [];
                foreach (NodeClient consumer in consumers)
                {
                    consumed.AddRange(Bodies(await consumer.PushedAsync()));
                }

                return consumed.Count >= count;
            },
            "every message is consumed",
            NodeClient.Deadline);
        consumed.Sort(StringComparer.Ordinal);
        return consumed;
    }

    private static IReadOnlyList<string> Bodies(IEnumerable<NodeClient.Incoming> messages) =>
        [.. messages.Select(message => message.Body).Where(body => body != Warm).Order(StringComparer.Ordinal)];
}
