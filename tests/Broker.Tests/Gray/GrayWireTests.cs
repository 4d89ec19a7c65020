using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>What tests of a broker with one gray topic and one group have in common.</summary>
public abstract class GrayWireTests
{
    private protected const string Group = "G";
    private protected const string Topic = "Orders";

    private protected static Task<GrayFixture> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    private protected static async Task<GrayFixture> StartAsync(ILoggerFactory? loggers, params (string Key, string Value)[] settings)
    {
        GrayFixture gray = await GrayFixture.StartAsync(loggers, settings);
        await gray.CreateAsync(Topic);
        await gray.State.SetTopicAsync(Topic, 6);
        return gray;
    }

    // One client of each side, and every queue its owner's.
    private protected static async Task<(Peer Normal, Peer Canary)> OpenAsync(GrayFixture gray)
    {
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(
            () => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false } && Queue(gray, 1) is { Owner: Side.Normal },
            "the gray queues are gray");
        return (normal, canary);
    }

    private protected static async Task<Peer> JoinAsync(GrayFixture gray, string id, string expression = "*", long version = 1)
    {
        Peer peer = gray.Broker.Connect(id);
        await peer.HeartbeatAsync(Group, [ClientsFixture.To(Topic, expression, version)]);
        return peer;
    }

    private protected static GrayQueueProgress? Queue(GrayFixture gray, int queueId) =>
        gray.State.Progress?.Queues.FirstOrDefault(queue => queue.Topic == Topic && queue.Queue == queueId);

    private protected static async Task CommitAsync(Peer peer, int queueId, long offset)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = queueId,
            CommitOffset = offset,
        });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    // Pulls again until there is something, as clients do: who is woken by a handover may find that its messages are not there to be read yet.
    private protected static async Task<List<string>> TakeAsync(Peer peer, long offset, string topic = Topic)
    {
        List<string> bodies = [];
        await Eventually.TrueAsync(
            async () =>
            {
                RemotingCommand reply = await peer.PullAsync(
                    Pulls.Header(topic, offset, expression: topic == Topic ? null : "*", suspendMs: 1_000));
                bodies = [.. Pulls.Bodies(reply)];
                return reply.ResponseCode != ResponseCode.PullNotFound;
            },
            $"messages of {topic} from offset {offset} on");
        return bodies;
    }

    private protected static async Task<IEnumerable<string>> MembersAsync(Peer peer)
    {
        var body = await peer.AskAsync<GetConsumerListByGroupHeader, GetConsumerListByGroupResponseBody>(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = Group });
        return body.ConsumerIdList.Order(StringComparer.Ordinal);
    }

    private protected static async Task<List<MessageQueue>> LockAsync(Peer peer)
    {
        byte[] body = BodyCodec.Encode(new LockBatchRequestBody
        {
            ConsumerGroup = Group,
            ClientId = peer.Id,
            MqSet = [new MessageQueue(Topic, RunningBroker.Name, 0)],
        });
        LockBatchResponseBody reply = await peer.AskAsync<NoHeader, LockBatchResponseBody>(RequestCode.LockBatchMQ, default, body);
        return [.. reply.LockedQueues];
    }
}
