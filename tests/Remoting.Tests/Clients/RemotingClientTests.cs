using System.Buffers;
using System.Collections.Concurrent;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Clients;

public class RemotingClientTests
{
    private static readonly TimeSpan Timeout = Eventually.Deadline;

    private static RemotingClient NewClient(CapturedLog log, TimeProvider? time = null, RequestTable? requests = null) =>
        new(RemotingClientOptions.Default, requests ?? new RequestTable(), time ?? TimeProvider.System, log);

    private static async Task<int> EchoAsync(RemotingClient client, string address, int number)
    {
        RemotingCommand answer = await client.InvokeAsync(address, Tables.Echo, new TestHeader(number), default, Timeout);
        return answer.Fields.GetInt32("number"u8);
    }

    [Fact]
    public async Task InvokeAsync_ManyAtOnce_EachGetsItsAnswerOverOneConnection()
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        await using RemotingClient client = NewClient(server.Log);
        int[] numbers = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(async i =>
        {
            RequestCode code = i % 2 == 0 ? Tables.Echo : Tables.PoolEcho;
            byte[] body = new byte[i];
            Array.Fill(body, (byte)i);
            RemotingCommand answer = await client.InvokeAsync(server.Address, code, new TestHeader(i), body, Timeout);
            Assert.Equal(body, answer.Body.ToArray());
            return answer.Fields.GetInt32("number"u8);
        }));
        Assert.Equal(Enumerable.Range(0, 1_000), numbers);
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task InvokeAsync_BothSidesSaturated_DoesNotStandStill()
    {
        // Each side has far more to send than the kernel takes: whoever waits to send before it reads waits for ever.
        const int Calls = 60;
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        await using RemotingClient client = NewClient(server.Log);
        byte[] body = new byte[1024 * 1024];
        await Task.WhenAll(Enumerable.Range(0, Calls).Select(async i =>
        {
            RequestCode code = i % 2 == 0 ? Tables.Echo : Tables.PoolEcho;
            RemotingCommand answer = await client.InvokeAsync(server.Address, code, new TestHeader(i), body, Timeout);
            Assert.Equal(ResponseCode.Success, answer.ResponseCode);
            Assert.Equal(body.Length, answer.Body.Length);
        }));
        Assert.Empty(server.Log.Warnings);
    }

    [Fact]
    public async Task InvokeAsync_AfterTheServerCameBack_ConnectsAgain()
    {
        var log = new CapturedLog();
        await using RemotingClient client = NewClient(log);
        var ended = new ConcurrentQueue<string>();
        client.ConnectionClosed += (address, _) => ended.Enqueue(address);
        int port;
        string address;
        await using (TestServer first = await TestServer.StartAsync(Tables.Echoing()))
        {
            (port, address) = (first.EndPoint.Port, first.Address);
            Assert.Equal(1, await EchoAsync(client, address, 1));
        }

        await Eventually.TrueAsync(() => ended.Count == 1);
        ConnectionClosedException gone = await Assert.ThrowsAsync<ConnectionClosedException>(() => EchoAsync(client, address, 2));
        Assert.Contains(address, gone.Message, StringComparison.Ordinal);

        await using TestServer second = await TestServer.StartAsync(Tables.Echoing(), port: port);
        Assert.Equal(3, await EchoAsync(client, address, 3));
        Assert.Equal([address], ended);
    }

    [Fact]
    public async Task InvokeAsync_ConnectionEndsBeforeTheAnswer_Throws()
    {
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        await using RemotingClient client = NewClient(server.Log);
        Task<RemotingCommand> call = client.InvokeAsync(server.Address, Tables.Park, new TestHeader(1), default, Timeout);
        Responder responder = default;
        await Eventually.TrueAsync(() => parked.TryDequeue(out responder));
        responder.Connection.Abort("test");
        await Assert.ThrowsAsync<ConnectionClosedException>(() => call);
    }

    [Fact]
    public async Task InvokeAsync_NoAnswerInTime_ThrowsAndLeavesTheOthers()
    {
        var time = new ManualTime();
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        await using RemotingClient client = NewClient(server.Log, time);
        Task<RemotingCommand> brief = client.InvokeAsync(server.Address, Tables.Park, new TestHeader(1), default, TimeSpan.FromSeconds(3));
        Task<RemotingCommand> patient = client.InvokeAsync(server.Address, Tables.Park, new TestHeader(2), default, TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => parked.Count == 2);
        time.Advance(TimeSpan.FromSeconds(1));
        await EchoAsync(client, server.Address, 1);
        time.Advance(TimeSpan.FromSeconds(2));
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => brief);
        Assert.Contains("PullMessage", timeout.Message, StringComparison.Ordinal);

        // The late answer is dropped, the other one arrives.
        while (parked.TryDequeue(out Responder responder))
        {
            responder.Reply(ResponseCode.PullNotFound);
        }

        Assert.Equal(ResponseCode.PullNotFound, (await patient).ResponseCode);
    }

    [Fact]
    public async Task InvokeAsync_ServerFellSilent_NextCallConnectsAnew()
    {
        var time = new ManualTime();
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        await using RemotingClient client = NewClient(server.Log, time);
        RemotingConnection before = await client.ConnectAsync(server.Address);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Task<RemotingCommand> call = client.InvokeAsync(server.Address, Tables.Park, new TestHeader(1), default, TimeSpan.FromSeconds(3));
        await Eventually.TrueAsync(() => parked.Count == 1);
        time.Advance(TimeSpan.FromSeconds(3));
        await Assert.ThrowsAsync<TimeoutException>(() => call);
        await Eventually.TrueAsync(() => before.IsClosed);
        Assert.NotSame(before, await client.ConnectAsync(server.Address));
    }

    [Fact]
    public async Task InvokeAsync_Cancelled_ThrowsAtOnce()
    {
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(new ConcurrentQueue<Responder>()));
        await using RemotingClient client = NewClient(server.Log);
        using var cancel = new CancellationTokenSource();
        Task<RemotingCommand> call = client.InvokeAsync(server.Address, Tables.Park, new TestHeader(1), default, Timeout, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(1, await EchoAsync(client, server.Address, 1));
    }

    [Fact]
    public async Task ServerInvokesClient_OverTheClientsConnection()
    {
        RequestTable ofClient = new RequestTable().On<TestHeader>(RequestCode.GetConsumerRunningInfo, (request, header) =>
        {
            request.Reply(header with { Number = header.Number + 1 });
            return ValueTask.CompletedTask;
        });
        RequestTable ofServer = Tables.Echoing().On<TestHeader>(Tables.Park, async (request, header) =>
        {
            RemotingCommand answer = await request.Connection.InvokeAsync(
                RequestCode.GetConsumerRunningInfo, header, default, Timeout);
            request.Reply(new TestHeader(answer.Fields.GetInt32("number"u8)));
        });
        await using TestServer server = await TestServer.StartAsync(ofServer);
        await using RemotingClient client = NewClient(server.Log, requests: ofClient);
        RemotingCommand answer = await client.InvokeAsync(server.Address, Tables.Park, new TestHeader(41), default, Timeout);
        Assert.Equal(42, answer.Fields.GetInt32("number"u8));
    }

    [Fact]
    public async Task SendOneWayAsync_IsHandled()
    {
        var seen = new ConcurrentQueue<int>();
        RequestTable table = new RequestTable().On<TestHeader>(Tables.Echo, (request, header) =>
        {
            Assert.True(request.IsOneWay);
            seen.Enqueue(header.Number);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        await using (RemotingClient client = NewClient(server.Log))
        {
            for (int i = 0; i < 100; i++)
            {
                await client.SendOneWayAsync(server.Address, Tables.Echo, new TestHeader(i), default);
            }
        }

        // Disposing has sent what was written.
        await Eventually.TrueAsync(() => seen.Count == 100);
        Assert.Equal(Enumerable.Range(0, 100), seen);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData(":9876")]
    public async Task ConnectAsync_NoAddress_Throws(string address)
    {
        await using RemotingClient client = NewClient(new CapturedLog());
        await Assert.ThrowsAsync<FormatException>(() => client.ConnectAsync(address).AsTask());
    }

    [Fact]
    public async Task DisposeAsync_WhileConnectingAndInvoking_EndsAll()
    {
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(parked));
        for (int round = 0; round < 20; round++)
        {
            RemotingClient client = NewClient(server.Log);
            Task[] calls = [.. Enumerable.Range(0, 4).Select(i => (Task)client.InvokeAsync(
                server.Address, Tables.Park, new TestHeader(i), default, Timeout))];
            await client.DisposeAsync();
            foreach (Task call in calls)
            {
                Exception? error = await Record.ExceptionAsync(() => call.WaitAsync(Timeout));
                Assert.True(error is ConnectionClosedException or ObjectDisposedException, error?.ToString());
            }

            await Assert.ThrowsAsync<ObjectDisposedException>(() => EchoAsync(client, server.Address, 1));
        }

        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
    }
}
