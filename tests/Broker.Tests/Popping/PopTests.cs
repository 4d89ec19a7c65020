using System.Globalization;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Popping;

public sealed class PopTests
{
    private const string Topic = "Orders";

    [Fact]
    public async Task Pop_AllQueues_HandsEachMessageOutOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 10);

        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic), 10);

        Assert.Equal(Enumerable.Range(0, 10).Select(Body).Order(StringComparer.Ordinal), taken.Select(m => m.Body).Order(StringComparer.Ordinal));
        Assert.All(taken, message => Assert.Equal(Topic, message.Message.Topic));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic))).ResponseCode);
    }

    [Fact]
    public async Task Ack_EachMessage_IsTakenOnceAndNeverComesAgain()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 6);
        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 3000), 6);

        foreach (Popped message in taken)
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
            Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(message)).ResponseCode);
        }

        RemotingCommand later = await peer.PopAsync(Pops.Header(Topic, pollMs: 4000));
        Assert.Equal(ResponseCode.PollingTimeout, later.ResponseCode);
    }

    [Fact]
    public async Task Overdue_Message_ComesAgainFromTheRetryTopicOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 3);
        List<Popped> first = await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 3000), 3);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[1])).ResponseCode);

        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic), 2);

        Assert.Equal(
            new[] { first[0].Body, first[2].Body }.Order(StringComparer.Ordinal), again.Select(m => m.Body).Order(StringComparer.Ordinal));
        Assert.All(again, message =>
        {
            Assert.Equal($"%RETRY%{Pops.Group}_{Topic}", message.RealTopic);
            Assert.Equal(Topic, message.Message.Topic);
            Assert.Equal(1, message.Message.ReconsumeTimes);
            Assert.Equal(first[0].Handle.Split(' ')[1], message.Message.Properties["1ST_POP_TIME"]);
        });
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(first[0])).ResponseCode);
        foreach (Popped message in again)
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
        }
    }

    [Fact]
    public async Task Pop_OfAnIdleTopic_IsAnsweredByTheNextMessage()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        Peer producer = broker.Connect("p1");
        await SendAsync(producer, 1);
        await peer.AckAsync((await peer.TakeAsync(Pops.Header(Topic), 1))[0]);

        Task<RemotingCommand> waiting = peer.PopAsync(Pops.Header(Topic, pollMs: 15_000));
        await producer.PollingAsync(Topic, 1);
        await RunningBroker.SendAsync(producer, Topic, 1, "late");

        RemotingCommand reply = await waiting;
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal("late", Assert.Single(Pops.Read(reply, Pops.Header(Topic))).Body);
    }

    [Fact]
    public async Task BatchAck_SomeBits_KeepsTheRest()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 5; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, Body(i));
        }

        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0, invisibleMs: 3000), 5);
        string[] handle = taken[0].Handle.Split(' ');
        Assert.Single(taken.Select(m => m.Handle.Split(' ')[1]).Distinct());
        RemotingCommand reply = await peer.AskAsync(RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(new BatchAckMessageRequestBody
        {
            BrokerName = RunningBroker.Name,
            Acks =
            [
                new BatchAck
                {
                    ConsumerGroup = Pops.Group, Topic = Topic, Retry = "0", StartOffset = long.Parse(handle[0], CultureInfo.InvariantCulture), QueueId = 0,
                    ReviveQueueId = 0, PopTimeMs = long.Parse(handle[1], CultureInfo.InvariantCulture), InvisibleTimeMs = 3000, Bits = [0b10101],
                },
            ],
        }));

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic), 2);
        Assert.Equal([Body(1), Body(3)], again.Select(m => m.Body));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, pollMs: 1200))).ResponseCode);
    }

    [Fact]
    public async Task ChangeInvisibleTime_OfOne_MovesThatOneOnly()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 3; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, Body(i));
        }

        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0), 3);
        Popped changed = await peer.ChangedAsync(taken[1], 300);

        Popped again = Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1));

        Assert.Equal(Body(1), again.Body);
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(taken[1])).ResponseCode);
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(changed)).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[0])).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[2])).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(again)).ResponseCode);
    }

    [Fact]
    public async Task Restart_WithMessagesInHand_KeepsWhatIsNotAckedAndNothingElse()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 8);
        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic), 8);
        foreach (Popped message in taken.Take(3))
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
        }

        await broker.RestartAsync();
        peer = broker.Connect("c1");
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(taken[0])).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[3])).ResponseCode);
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic))).ResponseCode);
        foreach (Popped message in taken.Skip(4))
        {
            await peer.ChangedAsync(message, 0);
        }

        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic), 4);

        Assert.Equal(
            taken.Skip(4).Select(m => m.Body).Order(StringComparer.Ordinal), again.Select(m => m.Body).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("0 1 2 0 0 broker-b 0 0")]
    [InlineData("0 1 2 0 0 broker-a 1 0")]
    [InlineData("0 1 2 0 0 broker-a 0 7")]
    [InlineData("-1 1 2 0 0 broker-a 0 0")]
    public async Task Ack_WithAHandleThatIsNone_IsIllegal(string handle)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await RunningBroker.SendAsync(peer, Topic, 0, "m");
        Popped taken = Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1));

        RemotingCommand reply = await peer.AckAsync(taken, handle);

        Assert.True(reply.ResponseCode is ResponseCode.MessageIllegal or ResponseCode.SystemError, $"{reply.ResponseCode}");
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken)).ResponseCode);
    }

    private static string Body(int i) => $"m{i}";

    private static async Task SendAsync(Peer peer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, i % 2, Body(i));
        }
    }
}
