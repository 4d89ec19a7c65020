using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Sending;

/// <summary>A disk that takes no more writes: nobody is told that something is stored which is not.</summary>
public sealed class FailingDiskTests
{
    private const string Topic = "Orders";
    private const int Connections = 4;
    private const int InFlight = 8;

    [Theory]
    [InlineData("ASYNC_FLUSH")]
    [InlineData("SYNC_FLUSH")]
    public async Task Send_WritesFailUnderSeveralConnections_AllThatWasAnsweredIsThereAfterTheRestart(string flush)
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, ("flushDiskType", flush));
        Peer[] peers = [.. Enumerable.Range(0, Connections).Select(i => broker.Connect($"p{i}"))];
        await peers[0].CreateTopicAsync(Topic, 1);
        var answered = new ConcurrentDictionary<long, string>();
        Task[] sending = [.. Enumerable.Range(0, Connections * InFlight).Select(i => SendUntilItFailsAsync(peers[i % Connections], i, answered))];
        await Eventually.TrueAsync(() => answered.Count >= 10 * sending.Length, "some sends are answered");

        disk.IsBroken = true;
        await Task.WhenAll(sending);
        Assert.True(disk.BrokenWrites > 0);
        Assert.Equal(ResponseCode.ServiceNotAvailable, (await broker.Connect("later").SendAsync(Sends.Header(Topic))).ResponseCode);

        disk.IsBroken = false;
        await broker.RestartAsync();
        Peer peer = broker.Connect("reader");
        foreach ((long offset, string body) in answered)
        {
            Assert.Equal(body, Encoding.UTF8.GetString((await peer.ReadAsync(Topic, offset)).Body.Span));
        }

        await peer.StoreAsync(Topic, "goes on");
    }

    private static async Task SendUntilItFailsAsync(Peer peer, int sender, ConcurrentDictionary<long, string> answered)
    {
        for (int i = 0; ; i++)
        {
            string body = $"{sender}-{i}";
            try
            {
                RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic), body);
                if (reply.ResponseCode != ResponseCode.Success)
                {
                    return;
                }

                Assert.True(answered.TryAdd(SendMessageResponseHeader.Read(reply.Fields).QueueOffset, body));
            }
            catch (ConnectionClosedException)
            {
                return;
            }
        }
    }
}
