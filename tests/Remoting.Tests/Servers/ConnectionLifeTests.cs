using System.Collections.Concurrent;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

public class ConnectionLifeTests
{
    private static readonly TimeSpan MaxIdle = new RemotingServerOptions { EndPoints = [] }.MaxIdle;

    [Fact]
    public async Task Idle_LongerThanAllowed_ClosesThatConnectionOnly()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing(), time: time);
        using RawClient idle = await server.ConnectAsync();
        using RawClient busy = await server.ConnectAsync();
        foreach (RawClient client in new[] { idle, busy })
        {
            await client.SendAsync(RawClient.Request(Tables.Echo, 1));
            await client.ReadAnswerAsync();
        }

        time.Advance(MaxIdle - TimeSpan.FromSeconds(10));
        await busy.SendAsync(RawClient.Request(Tables.Echo, 2));
        await busy.ReadAnswerAsync();
        Assert.Equal(2, server.Server.ConnectionCount);

        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(await idle.ReadAsync());
        await busy.SendAsync(RawClient.Request(Tables.Echo, 3));
        Assert.Equal(3, (await busy.ReadAnswerAsync()).Opaque);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 1);
        Assert.Single(server.Log.Lines, line => line.Contains("idle", StringComparison.Ordinal));
        Assert.Empty(server.Log.Warnings);
    }

    [Fact]
    public async Task Idle_WithoutAFirstByte_IsClosed()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing(), time: time);
        using RawClient silent = await server.ConnectAsync();
        Task<RemotingCommand?> end = silent.ReadAsync();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(MaxIdle);
            return end.IsCompleted;
        });
        Assert.Null(await end);
    }

    [Fact]
    public async Task Frame_ThatComesByteByByteForEver_IsCutOff()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing(), time: time);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Echo, 1));
        await client.ReadAnswerAsync();
        RemotingConnection connection = server.Server.Connections.Single();
        byte[] frame = RawClient.Request(Tables.Echo, 2, body: new byte[1000]);
        Task<RemotingCommand?> end = client.ReadAsync();
        for (int i = 0; i < frame.Length - 1 && !end.IsCompleted; i++)
        {
            long before = connection.LastReadTimestamp;
            time.Advance(TimeSpan.FromSeconds(30));
            try
            {
                await client.SendAsync(frame[i..(i + 1)]);
            }
            catch (IOException)
            {
                break;
            }

            await Eventually.TrueAsync(() => connection.LastReadTimestamp > before || end.IsCompleted);
        }

        Assert.Null(await end);
        Assert.Single(server.Log.Lines, line => line.Contains("a frame has been coming", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connections_BeyondTheLimit_AreClosedAtOnceWithFewLines()
    {
        await using TestServer server = await TestServer.StartAsync(
            Tables.Echoing(), options => options with { MaxConnections = 2 }, new ManualTime());
        using RawClient first = await server.ConnectAsync();
        using RawClient second = await server.ConnectAsync();
        await first.SendAsync(RawClient.Request(Tables.Echo, 1));
        await first.ReadAnswerAsync();
        for (int i = 0; i < 50; i++)
        {
            try
            {
                using RawClient refused = await server.ConnectAsync();
                Assert.Null(await refused.ReadAsync());
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                // Refused before connecting had ended.
            }
        }

        await second.SendAsync(RawClient.Request(Tables.Echo, 2));
        Assert.Equal(2, (await second.ReadAnswerAsync()).Opaque);
        Assert.Single(server.Log.Warnings);
    }

    [Fact]
    public async Task ConnectionClosed_IsRaisedOncePerConnection()
    {
        var ended = new ConcurrentQueue<RemotingConnection>();
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        server.Server.ConnectionClosed += ended.Enqueue;
        server.Server.ConnectionClosed += _ => throw new InvalidOperationException("a listener that fails");
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(RawClient.Request(Tables.Echo, i));
            await client.ReadAnswerAsync();
        }

        await Eventually.TrueAsync(() => ended.Count == 20);
        Assert.Equal(20, ended.Distinct().Count());
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Connections_OpenedAndLeftByTheThousand_LeaveNothingBehind()
    {
        const int WarmUp = 500;
        const int Connections = 4_000;
        const int AtOnce = 8;
        await using TestServer server = await TestServer.StartAsync(Tables.Echoing());
        byte[] request = RawClient.Request(Tables.Echo, 1);

        async Task ComeAndGoAsync(int count)
        {
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
            {
                using RawClient client = await server.ConnectAsync();
                switch (i % 4)
                {
                    case 0:
                        await client.SendAsync(request);
                        await client.ReadAnswerAsync();
                        break;
                    case 1:
                        await client.SendAsync(request[..^2]);
                        break;
                    case 2:
                        client.Socket.LingerState = new(true, 0);
                        await client.SendAsync(request);
                        break;
                    default:
                        break;
                }
            });
            await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
        }

        await ComeAndGoAsync(WarmUp);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await ComeAndGoAsync(Connections);
        await Eventually.TrueAsync(
            () => GC.GetTotalMemory(forceFullCollection: true) - before < 4_000_000,
            () => $"{GC.GetTotalMemory(forceFullCollection: true) - before} bytes more");
    }
}
