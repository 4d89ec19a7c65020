using System.Buffers;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Delays;

/// <summary>What cannot be delivered at its time neither gets lost nor holds up others.</summary>
public sealed class TimerDeliveryTests
{
    private readonly ManualTime _time = new();

    private static async Task SendAsync(Peer peer, string topic, string body, int queueId = 0)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(topic, queueId, Sends.Properties(("DELAY", "1"), ("KEYS", body))), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    private static Task PendingAsync(Peer peer, long total) => Eventually.TrueAsync(
        () => peer.AskAsync<NoHeader, PendingTimers>(RequestCode.ShowTimers, default).GetAwaiter().GetResult().Total == total,
        $"{total} pending messages");

    private static string BodyOf(ReceivedMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    [Fact]
    public async Task DeliveryOfOneFails_OthersAreDelivered_AndItIsTriedAgain()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, [], Prepare);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Other", 1);
        await SendAsync(peer, "Other", "behind");
        await PendingAsync(peer, 2);

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("behind", BodyOf(await peer.ReadAsync("Other", 0)));
        await PendingAsync(peer, 1);

        // It is tried again, also while it fails again, and others still go on.
        for (int i = 1; i <= 3; i++)
        {
            await SendAsync(peer, "Other", "later");
            _time.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal("later", BodyOf(await peer.ReadAsync("Other", i)));
            await PendingAsync(peer, 1);
        }

        await peer.CreateTopicAsync("Wide", 1);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("fails", BodyOf(await peer.ReadAsync("Wide", 0)));
        await PendingAsync(peer, 0);
    }

    [Fact]
    public async Task TopicIsDeleted_MessageIsThereWhenItIsCreatedAgain()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Gone", 2);
        await SendAsync(peer, "Gone", "waits", queueId: 1);
        await PendingAsync(peer, 1);
        Assert.Equal(
            ResponseCode.Success,
            (await peer.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader("Gone"))).ResponseCode);

        _time.Advance(TimeSpan.FromSeconds(1));

        await PendingAsync(peer, 0);
        await peer.CreateTopicAsync("Gone", 2);
        Assert.Equal("waits", BodyOf(await peer.ReadAsync("Gone", 0, queueId: 1)));
    }

    // A pending message for a topic that is not there, and for a queue that none can have.
    private void Prepare(string root) => PrepareAsync(root).GetAwaiter().GetResult();

    private async Task PrepareAsync(string root)
    {
        await using MessageStore store = MessageStore.Open(
            new StoreOptions { RootDirectory = root, CommitLogFileBytes = 1 << 20 },
            new LinuxFileSystem(),
            _time,
            NullLoggerFactory.Instance,
            new Nobody());
        store.Start();
        AppendResult result = store.Append(store.GetQueue(TopicNames.Schedule, 0), new MessageAppend
        {
            Body = new ReadOnlySequence<byte>("fails"u8.ToArray()),
            Properties = Encoding.UTF8.GetBytes(Sends.Properties(("DELAY", "1"), ("REAL_TOPIC", "Wide"), ("REAL_QID", "70000"))),
            BornTimestampMs = _time.NowMs,
            BornHost = MessageHost.FromV4(0x7F000001, 1),
            StoreHost = MessageHost.FromV4(0x7F000001, 1),
        });
        Assert.True(result.IsOk);
    }

    private sealed class Nobody : IArrivalListener
    {
        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
        }
    }
}
