using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Popping;

public sealed class PopsInFlightTests
{
    [Fact]
    public async Task InFlight_CountsWhatWasPoppedAndNotAcked()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync("T", 1)).ResponseCode);
        for (int i = 0; i < 5; i++)
        {
            await peer.StoreAsync("T", "x");
        }

        Assert.Empty(await InFlightAsync(peer, Pops.Group));

        List<Popped> taken = await peer.TakeAsync(Pops.Header("T"), 5);
        Assert.Equal(5, await OfTopicAsync(peer));

        await peer.AckAsync(taken[1]);
        await peer.AckAsync(taken[3]);
        Assert.Equal(3, await OfTopicAsync(peer));
        Assert.Empty(await InFlightAsync(peer, "another"));

        await broker.RestartAsync();
        peer = broker.Connect("c1");
        Assert.Equal(3, await OfTopicAsync(peer));
        PopsInFlightOfQueue queue = Assert.Single(await InFlightAsync(peer, Pops.Group), queue => queue.Topic == "T");
        Assert.Equal((5, 5), (queue.BrokerOffset, queue.NextOffset));
    }

    private static async Task<int> OfTopicAsync(Peer peer) =>
        Assert.Single(await InFlightAsync(peer, Pops.Group), queue => queue.Topic == "T").InFlight;

    private static async Task<List<PopsInFlightOfQueue>> InFlightAsync(Peer peer, string group) =>
        (await peer.AskAsync<GroupHeader, PopsInFlight>(RequestCode.ShowPopsInFlight, new GroupHeader(group))).Queues;
}
