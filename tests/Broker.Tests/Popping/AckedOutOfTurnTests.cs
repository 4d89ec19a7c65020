using System.Globalization;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Popping;

/// <summary>Found by the model test: what was acked out of turn comes never again, however the batches are cut afterwards.</summary>
public sealed class AckedOutOfTurnTests
{
    private const string Topic = "Orders";
    private const long ShortMs = 100;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AckedOutOfTurn_SmallerBatchesFollow_IsPassedOver(bool restarted)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        for (int i = 0; i < 8; i++)
        {
            await peer.StoreAsync(Topic, i.ToString(CultureInfo.InvariantCulture));
        }

        await peer.DispatchedAsync(Topic, 8);
        List<Popped> all = await peer.TakeAsync(Pops.Header(Topic, queueId: 0, most: 8, invisibleMs: ShortMs, order: true));
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(all[6])).ResponseCode);

        // A batch of one, acked whole, must not make the broker forget.
        List<Popped> first = await peer.TakeAsync(Pops.Header(Topic, queueId: 0, most: 1, order: true), 1);
        Assert.Equal(0, Assert.Single(first).Offset);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(first[0])).ResponseCode);
        if (restarted)
        {
            await broker.RestartAsync();
            peer = broker.Connect("c");
        }

        var offsets = new List<long>();
        while (offsets.Count < 6)
        {
            foreach (Popped message in await peer.TakeAsync(Pops.Header(Topic, queueId: 0, most: 4, order: true), 1))
            {
                offsets.Add(message.Offset);
                Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
            }
        }

        Assert.Equal([1, 2, 3, 4, 5, 7], offsets);
        RemotingCommand empty = await peer.PopAsync(Pops.Header(Topic, queueId: 0, order: true));
        Assert.NotEqual(ResponseCode.Success, empty.ResponseCode);
    }
}
