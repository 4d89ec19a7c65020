using System.Collections.Concurrent;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

public class StopTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StopAsync_RequestsInHand_AnswersThemBeforeItCloses(bool tls)
    {
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, tls ? Tls.ClientAsync : null);
        await client.SendAsync(
            RawClient.Request(Tables.Park, 1), RawClient.Request(Tables.Park, 2), RawClient.Request(Tables.Echo, 3));
        Assert.Equal(3, (await client.ReadAnswerAsync()).Opaque);
        await Eventually.TrueAsync(() => parked.Count == 2);

        Task stopping = server.Server.StopAsync();
        Assert.True(parked.TryDequeue(out Responder first));
        first.Reply(ResponseCode.Success);
        Assert.Equal(1, (await client.ReadAnswerAsync()).Opaque);
        Assert.False(stopping.IsCompleted);

        Assert.True(parked.TryDequeue(out Responder second));
        second.Reply(ResponseCode.PullNotFound);
        Assert.Equal(2, (await client.ReadAnswerAsync()).Opaque);
        Assert.Null(await client.ReadAsync());
        await stopping.WaitAsync(Eventually.Deadline);
        Assert.DoesNotContain(server.Log.Warnings, line => !line.Contains("self-signed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StopAsync_ManyPipelinedRequests_LeavesNoneReadAndUnanswered()
    {
        for (int round = 0; round < 20; round++)
        {
            int handled = 0;
            RequestTable table = new RequestTable().OnPool<TestHeader>(Tables.PoolEcho, async (request, header) =>
            {
                Interlocked.Increment(ref handled);
                await Task.Yield();
                request.Reply(header);
            });
            await using TestServer server = await TestServer.StartAsync(table);
            using RawClient client = await server.ConnectAsync();
            Task sending = client.SendAsync([.. Enumerable.Range(0, 500).SelectMany(i => RawClient.Request(Tables.PoolEcho, i))]);
            await client.ReadAnswerAsync();
            Task stopping = server.Server.StopAsync();
            int answers = 1;
            while (await client.ReadAsync() is not null)
            {
                answers++;
            }

            await stopping.WaitAsync(Eventually.Deadline);
            await sending;
            Assert.Equal(handled, answers);
        }
    }

    [Fact]
    public async Task StopAsync_Cancelled_CutsOffWhatIsLeft()
    {
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        using RawClient client = await server.ConnectAsync();
        using RawClient silent = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Park, 1));
        await Eventually.TrueAsync(() => parked.Count == 1);
        using var cancel = new CancellationTokenSource();
        Task stopping = server.Server.StopAsync(cancel.Token);
        Assert.Null(await silent.ReadAsync());
        Assert.False(stopping.IsCompleted);
        await cancel.CancelAsync();
        await stopping.WaitAsync(Eventually.Deadline);
        Assert.Null(await client.ReadAsync());
        Assert.Equal(0, server.Server.ConnectionCount);

        // Late answers go nowhere and disturb nobody.
        Assert.True(parked.TryDequeue(out Responder late));
        late.Reply(ResponseCode.Success);
    }

    [Fact]
    public async Task StopAsync_PeerThatDoesNotRead_EndsWhenCancelled()
    {
        byte[] body = new byte[12 * 1024 * 1024];
        RequestTable table = new RequestTable().On<TestHeader>(Tables.Echo, (request, _) =>
        {
            request.Reply(body);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);
        await client.SendAsync(RawClient.Request(Tables.Echo, 1), RawClient.Request(Tables.Echo, 2));
        await Eventually.TrueAsync(() => server.Server.Connections.Any(connection => !connection.FlushedAsync().IsCompleted));
        using var cancel = new CancellationTokenSource();
        Task stopping = server.Server.StopAsync(cancel.Token);
        await cancel.CancelAsync();
        await stopping.WaitAsync(Eventually.Deadline);
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task StopAsync_TwiceAndBesideDispose_EndsEach()
    {
        var parked = new ConcurrentQueue<Responder>();
        TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Park, 1));
        await Eventually.TrueAsync(() => parked.Count == 1);
        Task first = server.Server.StopAsync();
        Task second = server.Server.StopAsync();
        await server.DisposeAsync();
        await server.DisposeAsync();
        await Task.WhenAll(first, second).WaitAsync(Eventually.Deadline);
    }

    [Fact]
    public async Task StopAsync_AskedTwiceAtOnce_UnbindsOnce()
    {
        HeldTransport? transport = null;
        await using TestServer server = await TestServer.StartAsync(
            Tables.Echoing(), transport: sockets => transport = new HeldTransport(sockets));

        Task[] stopping = [server.Server.StopAsync(), server.Server.StopAsync()];
        Assert.All(stopping, each => Assert.False(each.IsCompleted));
        transport!.LetUnbind();

        await Task.WhenAll(stopping).WaitAsync(Eventually.Deadline);
        Assert.Equal(1, transport.Unbound);
    }

    [Fact]
    public async Task StartAsync_PortInUse_ThrowsAndNamesTheAddress()
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => TestServer.StartAsync(Tables.Echoing(), port: server.EndPoint.Port));
        Assert.Contains(server.Address, error.Message, StringComparison.Ordinal);
    }
}
