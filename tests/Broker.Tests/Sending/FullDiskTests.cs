using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Sending;

/// <summary>A disk that has no room left takes no messages, but gives those that it has.</summary>
public sealed class FullDiskTests
{
    private const string Topic = "Orders";

    // The housekeeper looks at the disk this often.
    private static readonly (string, string) LooksOften = ("cleanResourceInterval", "1000");

    [Fact]
    public async Task Send_NoRoomForTheLog_IsRefusedUntilThereIs()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, ("mappedFileSizeCommitLog", "65536"), LooksOften);
        Peer peer = broker.Connect("p");
        string body = new('x', 10_000);
        await peer.StoreAsync(Topic, body);

        disk.IsFull = true;
        long stored = await SendUntilAsync(peer, body, ResponseCode.ServiceNotAvailable) + 1;

        await peer.DispatchedAsync(Topic, stored);
        Assert.Equal(ResponseCode.Success, (await peer.PullAsync(Pulls.Header(Topic, 0))).ResponseCode);
        await peer.RefusedAsync(ResponseCode.ServiceNotAvailable, Sends.Header(Topic), body);
        RemotingCommand batch = await peer.AskAsync(RequestCode.SendBatchMessage, Sends.Header(Topic), Batches.Body((body, "")));
        Assert.Equal(ResponseCode.ServiceNotAvailable, batch.ResponseCode);

        disk.IsFull = false;
        await SendUntilAsync(peer, body, ResponseCode.Success);

        // What was refused has left no gap.
        await peer.DispatchedAsync(Topic, stored + 1);
        Assert.Equal(10_000, (await peer.ReadAsync(Topic, stored)).Body.Length);
    }

    [Fact]
    public async Task Send_DiskAboveItsWarningLevel_IsRefusedUntilItIsBelow()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, LooksOften);
        Peer peer = broker.Connect("p");
        await peer.StoreAsync(Topic, "a");

        disk.UsedPercent = 95;
        long stored = 1 + await SendUntilAsync(peer, "b", ResponseCode.ServiceNotAvailable);
        await peer.DispatchedAsync(Topic, stored);
        Assert.Equal("a"u8.ToArray(), (await peer.ReadAsync(Topic, 0)).Body.ToArray());

        disk.UsedPercent = 50;
        await SendUntilAsync(peer, "c", ResponseCode.Success);
        Assert.Equal("c"u8.ToArray(), (await peer.ReadAsync(Topic, stored)).Body.ToArray());
    }

    /// <summary>Sends until the answer is the one that is waited for; returns how many answers were others.</summary>
    private static async Task<long> SendUntilAsync(Peer peer, string body, ResponseCode awaited)
    {
        long sent = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                sent++;
                return (await peer.SendAsync(Sends.Header(Topic), body)).ResponseCode == awaited;
            },
            $"a send is answered {awaited}");
        return sent - 1;
    }
}
