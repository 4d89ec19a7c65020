using System.Collections.Concurrent;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

/// <summary>Peers that ask and do not read what they asked for.</summary>
public class SlowPeerTests
{
    private const RequestCode Large = RequestCode.GetAllTopicConfig;
    private const int LargeBytes = 100_000;

    // Beyond what the kernel buffers at both ends may hold, which is some 10 MiB.
    private const int Requests = 1_000;

    private static async Task AssertServedAsync(TestServer server)
    {
        using RawClient other = await server.ConnectAsync();
        await other.SendAsync(RawClient.Request(Tables.Echo, 77));
        Assert.Equal(77, (await other.ReadAnswerAsync()).Opaque);
    }

    [Fact]
    public async Task PeerThatDoesNotRead_MayAskNoMore_AndGetsAllOnceItReads()
    {
        long handled = 0;
        byte[] body = new byte[LargeBytes];
        RequestTable table = Tables.Echoing().On<TestHeader>(Large, (request, _) =>
        {
            Interlocked.Increment(ref handled);
            request.Reply(body);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);

        // All in one segment: a batch must not be answered in one go either.
        await client.SendAsync([.. Enumerable.Range(0, Requests).SelectMany(i => RawClient.Request(Large, i))]);
        await Eventually.TrueAsync(() => Interlocked.Read(ref handled) > 0);
        await StandsStillAsync(() => Interlocked.Read(ref handled));
        Assert.InRange(Interlocked.Read(ref handled), 1, Requests / 2);
        await AssertServedAsync(server);

        for (int i = 0; i < Requests; i++)
        {
            RemotingCommand answer = await client.ReadAnswerAsync();
            Assert.Equal((i, LargeBytes), (answer.Opaque, (int)answer.Body.Length));
        }

        Assert.Equal(Requests, handled);
    }

    [Fact]
    public async Task PeerThatDoesNotReadForAWhile_WithHalfAFrameBehindItsRequests_HasBegunItWhenItCame()
    {
        var pause = TimeSpan.FromSeconds(10);
        var time = new ManualTime();
        long came = time.GetTimestamp();
        byte[] body = new byte[12 * 1024 * 1024];
        var handled = new ConcurrentQueue<long?>();
        RequestTable table = Tables.Echoing().On<TestHeader>(Large, (request, _) =>
        {
            handled.Enqueue(request.Connection.HandledTimestamp);
            request.Reply(body);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table, time: time);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);
        byte[] half = RawClient.Request(Tables.Echo, 3)[..10];
        await client.SendAsync([.. RawClient.Request(Large, 1), .. RawClient.Request(Large, 2), .. half]);
        await Eventually.TrueAsync(() => !handled.IsEmpty);
        RemotingConnection connection = server.Server.Connections.Single();

        time.Advance(pause);
        await client.ReadAnswerAsync();
        await client.ReadAnswerAsync();

        // Requests are handled when they are; but the frame has been coming all the time.
        await Eventually.TrueAsync(() => connection.FrameAge == pause);
        Assert.Equal([came, came + pause.Ticks], handled);
    }

    [Fact]
    public async Task AnswersFromElsewhere_BeyondTheLimit_CloseTheConnectionOnly()
    {
        const int MaxUnsent = 1024 * 1024;
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(
            Tables.Parking(parked), options => options with { Connection = new ConnectionOptions { MaxUnsentBytes = MaxUnsent } });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);
        await client.SendAsync([.. Enumerable.Range(0, Requests).SelectMany(i => RawClient.Request(Tables.Park, i))]);
        await Eventually.TrueAsync(() => parked.Count == Requests);
        RemotingConnection connection = server.Server.Connections.Single();

        byte[] body = new byte[LargeBytes];
        int answered = 0;
        while (parked.TryDequeue(out Responder responder))
        {
            responder.Reply(body);
            answered++;
            if (answered % 10 == 0)
            {
                await Task.Yield();
            }
        }

        Assert.Equal(Requests, answered);
        await Eventually.TrueAsync(() => connection.IsClosed && server.Server.ConnectionCount == 0);
        Assert.Contains("does not read", Assert.Single(server.Log.Warnings), StringComparison.Ordinal);
        Assert.Equal(0, connection.RequestsInFlight);
        await AssertServedAsync(server);
    }

    [Fact]
    public async Task PeerThatNeverReads_IsGoneAfterTheIdleTime()
    {
        var time = new ManualTime();
        byte[] body = new byte[LargeBytes];
        RequestTable table = Tables.Echoing().On<TestHeader>(Large, (request, _) =>
        {
            request.Reply(body);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table, time: time);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);
        await client.SendAsync([.. Enumerable.Range(0, Requests).SelectMany(i => RawClient.Request(Large, i))]);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 1);
        RemotingConnection connection = server.Server.Connections.Single();
        await Eventually.TrueAsync(() => !connection.FlushedAsync().IsCompleted);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return server.Server.ConnectionCount == 0;
        });
        Assert.True(connection.IsClosed);
    }

    [Fact]
    public async Task BadFrameOfPeerThatNeverReads_DoesNotKeepItsPlace()
    {
        var time = new ManualTime();
        byte[] body = new byte[8 * 1024 * 1024];
        var parked = new ConcurrentQueue<Responder>();
        await using TestServer server = await TestServer.StartAsync(
            Tables.Parking(parked), options => options with { MaxConnections = 1 }, time);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, receiveBytes: 64 * 1024);
        await client.SendAsync(RawClient.Request(Tables.Park, 1), RawClient.Request(Tables.Park, 2));
        await Eventually.TrueAsync(() => parked.Count == 2);
        while (parked.TryDequeue(out Responder responder))
        {
            responder.Reply(body);
        }

        await client.SendAsync(RawClient.JsonFrame("bad"));
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);

        // Its answers still wait to leave; after the linger time its place is free.
        ResponseCode? code = null;
        long started = TimeProvider.System.GetTimestamp();
        while (code is null && TimeProvider.System.GetElapsedTime(started) < Eventually.Deadline)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            try
            {
                using RawClient next = await server.ConnectAsync();
                await next.SendAsync(RawClient.Request(Tables.Echo, 1));
                code = (await next.ReadAsync())?.ResponseCode;
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Refused.
            }
        }

        Assert.Equal(ResponseCode.Success, code);
    }

    // A figure that does not change while it is looked at so often.
    private static async Task StandsStillAsync(Func<long> figure)
    {
        const int Times = 50;
        int same = 0;
        long last = figure();
        await Eventually.TrueAsync(
            () =>
            {
                long now = figure();
                same = now == last ? same + 1 : 0;
                last = now;
                return same == Times;
            },
            "the figure stands still");
    }
}
