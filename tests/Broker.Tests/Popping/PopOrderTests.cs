using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Popping;

public sealed class PopOrderTests
{
    private const string Topic = "Ordered";

    [Fact]
    public async Task Pop_InOrder_LocksTheQueueUntilItsBatchIsAcked()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer peer, Peer other) = (broker.Connect("c1"), broker.Connect("c2"));
        await SendAsync(peer, 4);
        PopMessageHeader header = Pops.Header(Topic, 0, most: 2, order: true);

        List<Popped> first = await peer.TakeAsync(header, 2);
        Assert.Equal(["m0", "m1"], first.Select(m => m.Body));
        Assert.All(first, message => Assert.Equal("999", message.Handle.Split(' ')[3]));
        Assert.Equal(ResponseCode.PollingTimeout, (await other.PopAsync(header)).ResponseCode);
        Task<RemotingCommand> waiting = other.PopAsync(header with { PollTimeMs = 15_000 });
        await peer.PollingAsync(Topic, 1, queueId: 0);

        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[0])).ResponseCode);
        await peer.PollingAsync(Topic, 1, queueId: 0);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[1])).ResponseCode);
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(first[1])).ResponseCode);

        Assert.Equal(["m2", "m3"], Pops.Read(await waiting, header).Select(m => m.Body));
    }

    [Fact]
    public async Task Pop_InOrderAfterTheTimeIsUp_ComesAgainWithItsCountAndWithoutWhatWasAcked()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer peer, Peer other) = (broker.Connect("c1"), broker.Connect("c2"));
        await SendAsync(peer, 3);
        PopMessageHeader header = Pops.Header(Topic, 0, invisibleMs: 3000, order: true);
        List<Popped> first = await peer.TakeAsync(header, 3);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[1])).ResponseCode);

        RemotingCommand reply = await other.PopAsync(header with { PollTimeMs = 15_000, InvisibleTimeMs = 60_000 });

        Popped again = Assert.Single(Pops.Read(reply, header));
        Assert.Equal("m0", again.Body);
        Assert.Equal("0 qo0%0 1;0 0 1", System.Text.Encoding.UTF8.GetString(PopMessageResponseHeader.Read(reply.Fields).OrderCountInfo.Span));
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(first[0])).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await other.AckAsync(again)).ResponseCode);
        Assert.Equal("m2", Assert.Single(await other.TakeAsync(header, 1)).Body);
    }

    [Fact]
    public async Task Pop_InOrderOfTheSameAttempt_IsNotHeldUpByItself()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 2);
        PopMessageHeader header = Pops.Header(Topic, 0, order: true, attempt: "a1");
        await peer.TakeAsync(header, 2);

        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(header with { AttemptId = "a2"u8.ToArray() })).ResponseCode);
        RemotingCommand reply = await peer.PopAsync(header);

        Assert.Equal(["m0", "m1"], Pops.Read(reply, header).Select(m => m.Body));
        Assert.Equal("0 0 0", System.Text.Encoding.UTF8.GetString(PopMessageResponseHeader.Read(reply.Fields).OrderCountInfo.Span));
    }

    [Fact]
    public async Task Restart_WithALockedQueue_KeepsLockAndHandles()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await SendAsync(peer, 3);
        PopMessageHeader header = Pops.Header(Topic, 0, most: 2, order: true);
        List<Popped> first = await peer.TakeAsync(header, 2);
        await peer.AckAsync(first[0]);

        await broker.RestartAsync();
        peer = broker.Connect("c1");

        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(header)).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[1])).ResponseCode);
        Assert.Equal("m2", Assert.Single(await peer.TakeAsync(header, 1)).Body);
    }

    [Fact]
    public async Task Change_OfAnOrderlyMessage_FreesTheQueueAtItsTime()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        (Peer peer, Peer other) = (broker.Connect("c1"), broker.Connect("c2"));
        await SendAsync(peer, 2);
        PopMessageHeader header = Pops.Header(Topic, 0, most: 1, order: true);
        Popped first = Assert.Single(await peer.TakeAsync(header, 1));
        Popped changed = await peer.ChangedAsync(first, 300);

        Popped again = Assert.Single(await other.TakeAsync(header, 1));

        Assert.Equal("m0", again.Body);
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(changed)).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await other.AckAsync(again)).ResponseCode);
    }

    private static async Task SendAsync(Peer peer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, count);
    }
}
