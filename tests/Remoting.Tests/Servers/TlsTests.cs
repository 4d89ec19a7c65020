using System.Buffers;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

public class TlsTests
{
    private static Task<TestServer> StartAsync(TlsMode mode, ManualTime? time = null) =>
        TestServer.StartAsync(Tables.Echoing(), options => options with { TlsMode = mode }, time);

    private static async Task AssertServedAsync(TestServer server, bool tls)
    {
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, tls ? Tls.ClientAsync : null);
        byte[] body = new byte[300_000];
        new Random(3).NextBytes(body);
        Task sending = client.SendAsync(RawClient.Request(Tables.Echo, 9, body: body));
        RemotingCommand answer = await client.ReadAnswerAsync();
        await sending;
        Assert.Equal(9, answer.Opaque);
        Assert.Equal(body, answer.Body.ToArray());
    }

    [Fact]
    public async Task Permissive_ServesBothOnOnePort()
    {
        await using TestServer server = await StartAsync(TlsMode.Permissive);
        await AssertServedAsync(server, tls: true);
        await AssertServedAsync(server, tls: false);
        await AssertServedAsync(server, tls: true);
        Assert.Contains("self-signed", Assert.Single(server.Log.Warnings), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
    }

    [Fact]
    public async Task Enforcing_RefusesPlain()
    {
        await using TestServer server = await StartAsync(TlsMode.Enforcing);
        await AssertServedAsync(server, tls: true);
        using RawClient plain = await server.ConnectAsync();
        await plain.SendAsync(RawClient.Request(Tables.Echo, 1));
        Assert.Null(await plain.ReadAsync());
        Assert.Single(server.Log.Warnings, line => line.Contains("enforcing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disabled_RefusesTls()
    {
        await using TestServer server = await StartAsync(TlsMode.Disabled);
        await AssertServedAsync(server, tls: false);
        Exception? refused = await Record.ExceptionAsync(() => RawClient.ConnectAsync(server.EndPoint, Tls.ClientAsync));
        Assert.True(refused is IOException or AuthenticationException, refused?.ToString());
        Assert.Single(server.Log.Warnings, line => line.Contains("disabled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handshake_OfGarbage_ClosesWithOneLineAndDisturbsNobody()
    {
        await using TestServer server = await StartAsync(TlsMode.Permissive);
        await AssertServedAsync(server, tls: true);
        var random = new Random(11);
        for (int i = 1; i <= 20; i++)
        {
            using RawClient client = await server.ConnectAsync();
            byte[] garbage = new byte[1 + random.Next(2_000)];
            random.NextBytes(garbage);
            garbage[0] = 0x16;
            await client.SendAsync(garbage);
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            while (await client.ReadByteAsync())
            {
                // A TLS alert may come before the end.
            }

            int expected = i;
            await Eventually.TrueAsync(() => server.Log.Warnings.Count(line => line.Contains("handshake failed", StringComparison.Ordinal)) == expected);
        }

        await AssertServedAsync(server, tls: true);
        Assert.Equal(21, server.Log.Warnings.Count);
    }

    [Fact]
    public async Task Handshake_ThatStalls_IsCutOff()
    {
        var time = new ManualTime();
        await using TestServer server = await StartAsync(TlsMode.Permissive, time);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync([0x16, 0x03]);
        Task<bool> end = client.ReadByteAsync();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return end.IsCompleted;
        });
        Assert.False(await end);
        await Eventually.TrueAsync(() => server.Log.Warnings.Any(line => line.Contains("longer than 10 s", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ClosedByPeer_WithAnswersOnTheirWay_LeavesNothing()
    {
        await using TestServer server = await StartAsync(TlsMode.Permissive);
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = await RawClient.ConnectAsync(server.EndPoint, Tls.ClientAsync);
            await client.SendAsync(RawClient.Request(Tables.Echo, 1, body: new byte[200_000]));
            client.Socket.LingerState = new(true, 0);
            client.Socket.Close();
        }

        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
        await server.Server.StopAsync().WaitAsync(Eventually.Deadline);
    }

    [Fact]
    public async Task Client_WithTls_Invokes()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using TestServer server = await TestServer.StartAsync(
            Tables.Echoing(), options => options with { TlsMode = TlsMode.Enforcing, Certificate = certificate });
        await using var client = new RemotingClient(
            new RemotingClientOptions { Tls = Tls.Trusting }, new RequestTable(), TimeProvider.System, server.Log);
        RemotingCommand answer = await client.InvokeAsync(
            server.Address, Tables.Echo, new TestHeader(4), "body"u8.ToArray(), Eventually.Deadline);
        Assert.Equal(4, answer.Fields.GetInt32("number"u8));
        Assert.Equal("body"u8.ToArray(), answer.Body.ToArray());
        Assert.Empty(server.Log.Warnings);
    }
}
