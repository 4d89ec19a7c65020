using System.Text;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>Where a group stands that pops and is moved by others as well, or by the loss of the log's end.</summary>
public sealed class PopOffsetsTests
{
    private const string Topic = "Sought";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SeekBack_OfAGroupThatPopped_HoldsAlsoAfterARestart(bool killed)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 4);
        foreach (Popped message in await peer.TakeAsync(Pops.Header(Topic, 0), 4))
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
        }

        await CommitAsync(peer, 1);
        await (killed ? broker.KillAsync() : broker.RestartAsync());
        peer = broker.Connect("c1");

        Assert.Equal(1, await CommittedAsync(peer));
        Assert.Equal(["m1", "m2", "m3"], (await peer.TakeAsync(Pops.Header(Topic, 0), 3)).Select(m => m.Body));
    }

    [Fact]
    public async Task Kill_OfAGroupThatOnlyPops_HandsNothingOutTwice()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 4);
        await CommitAsync(peer, 2);
        Assert.Equal(["m2", "m3"], (await peer.TakeAsync(Pops.Header(Topic, 0), 2)).Select(m => m.Body));

        await broker.KillAsync();
        peer = broker.Connect("c1");

        Assert.Equal(4, await CommittedAsync(peer));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, 0))).ResponseCode);
    }

    [Fact]
    public async Task SeekBack_WhileAPopWaits_WakesIt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 2);
        await peer.TakeAsync(Pops.Header(Topic, 0), 2);
        Task<RemotingCommand> waiting = broker.Connect("c2").PopAsync(Pops.Header(Topic, 0, pollMs: 60_000));
        await peer.PollingAsync(Topic, 1, queueId: 0);

        await CommitAsync(peer, 1);

        Assert.Equal("m1", Assert.Single(Pops.Read(await waiting, Pops.Header(Topic))).Body);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task AckInOrder_AfterASeek_LeavesTheGroupWhereItWasMoved(long sought)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 4);
        await CommitAsync(peer, 1);
        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0, most: 1, order: true), 1);
        Assert.Equal("m1", taken[0].Body);

        await CommitAsync(peer, sought);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[0])).ResponseCode);

        Assert.Equal(sought, await CommittedAsync(peer));
        Assert.Equal($"m{sought}", (await peer.TakeAsync(Pops.Header(Topic, 0, most: 1, order: true), 1))[0].Body);
    }

    [Fact]
    public async Task Start_WithoutTheLogsEnd_PassesOverNothingThatComesAfterwards()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 4);
        await peer.TakeAsync(Pops.Header(Topic, 0), 4);

        // Nothing of the log had come to the disk, and all of the databases.
        await broker.StopAllAsync();
        foreach (string path in Directory.GetFileSystemEntries(broker.StorePath))
        {
            if (Path.GetFileName(path) is "commitlog" or "consumequeue" or "index" or "checkpoint")
            {
                Delete(path);
            }
        }

        await broker.StartAgainAsync();
        peer = broker.Connect("c1");
        await SendAsync(peer, 5);

        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], (await peer.TakeAsync(Pops.Header(Topic, 0), 5)).Select(m => m.Body));
    }

    /// <summary>The reviver sets a group at the beginning of its retry topic when the first message is there, which a pop may have taken.</summary>
    [Fact]
    public async Task Begin_OfAQueueThatAPopHasBegun_ChangesNothing()
    {
        await using var parts = new PopParts();
        Topics.Topic topic = parts.CreateTopic(Topic);
        parts.CreateGroup("G");
        await parts.StoreAsync(topic, "a");
        Assert.Equal(["a"], parts.Take(parts.Pop(topic, "G")));

        Assert.Equal(CommitOutcome.Overtaken, Begin(parts, "G"));

        Assert.Empty(parts.Take(parts.Pop(topic, "G")));
        Assert.Equal(1, parts.State.Offsets.Find("G", Topic, 0));
    }

    [Fact]
    public async Task Pop_OfAQueueThatHasBegun_TakesItOnce()
    {
        await using var parts = new PopParts();
        Topics.Topic topic = parts.CreateTopic(Topic);
        parts.CreateGroup("G");
        await parts.StoreAsync(topic, "a");
        Assert.Equal(CommitOutcome.Committed, Begin(parts, "G"));

        Assert.Equal(["a"], parts.Take(parts.Pop(topic, "G")));
        Assert.Empty(parts.Take(parts.Pop(topic, "G")));
    }

    [Fact]
    public async Task Pop_WhoseQueueIsBegunBetweenItsLookAndItsWord_KnowsWhatStands()
    {
        await using var parts = new PopParts();
        Topics.Topic topic = parts.CreateTopic(Topic);
        parts.CreateGroup("G");
        await parts.StoreAsync(topic, "a");
        Pop pop = parts.Pop(topic, "G");
        LogicQueue queue = parts.State.Messages.GetQueue(Topic, 0);
        PopQueue popped = parts.State.Pops.CheckPoints.Topics.Get("G"u8, topic.NameUtf8.Span).GetQueue(0);
        long seen = parts.State.Offsets.Find("G", Topic, 0);

        Begin(parts, "G");
        popped.Gate.Enter();
        long start = parts.Offsets.Begin(in pop, topic, queue, popped, seen);
        popped.Gate.Exit();

        // Had it not been told, its end would not be either, and the next pop would begin here again.
        Assert.Equal((0, 0), (start, popped.ToldOffset));
        Assert.Equal(["a"], parts.Take(in pop));
        Assert.Empty(parts.Take(in pop));
        Assert.Equal(1, parts.State.Offsets.Find("G", Topic, 0));
    }

    // As the reviver does, which has seen before that the group stands nowhere.
    private static CommitOutcome Begin(PopParts parts, string group) => parts.State.Offsets.CommitFrom(
        Encoding.UTF8.GetBytes(group), Encoding.UTF8.GetBytes(Topic), 0, ConsumerOffsetTable.None, 0);

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }

    private static async Task SendAsync(Peer peer, int count)
    {
        await peer.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup,
            default(NoHeader),
            BodyCodec.Encode(new SubscriptionGroupConfig { GroupName = Pops.Group }));
        for (int i = 0; i < count; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, count);
    }

    private static async Task CommitAsync(Peer peer, long offset)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = 0,
            CommitOffset = offset,
        });
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }

    private static async Task<long> CommittedAsync(Peer peer)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = 0,
        });
        return OffsetResponseHeader.Read(reply.Fields).Offset;
    }
}
