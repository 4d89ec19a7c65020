using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests;

public sealed class DrainLeaseTests
{
    private const long LeaseMs = 30_000;
    private const long ReturnMs = 120_000;

    [Fact]
    public async Task Lease_WhileAnotherLeaves_IsRefusedUntilThatOneIsBack()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        Assert.Equal((true, ""), await LeaseAsync(server, "a"));

        Assert.Equal((false, "a"), await LeaseAsync(server, "b"));
        Assert.Equal((true, ""), await LeaseAsync(server, "a"));
        await server.AskSuccessfullyAsync(
            RequestCode.ReturnDrain, new ReturnDrainHeader { ClusterName = TestNameServer.Cluster, BrokerAddress = "a-0:10911" });

        Assert.Equal((true, ""), await LeaseAsync(server, "b"));
    }

    [Fact]
    public async Task Lease_AsManyAsMay_AreGrantedAndNamed()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        Assert.Equal((true, ""), await LeaseAsync(server, "a", parallel: 2));
        Assert.Equal((true, "a"), await LeaseAsync(server, "b", parallel: 2));
        Assert.Equal((false, "a;b"), await LeaseAsync(server, "c", parallel: 2));
        Assert.Equal((true, ""), await LeaseAsync(server, "a", cluster: "other"));
    }

    [Fact]
    public async Task Lease_NotAskedForAgain_Ends()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await LeaseAsync(server, "a");

        server.Time.Advance(TimeSpan.FromMilliseconds(LeaseMs + 1));

        Assert.Equal((true, ""), await LeaseAsync(server, "b"));
    }

    [Fact]
    public async Task Connection_OfABrokerThatDoesNotComeBackEnds_RouteGoes()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        RemotingClient broker = TestNameServer.NewClient();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "U"), client: broker);
        await LeaseAsync(server, "a", returnMs: 0, client: broker);

        await broker.DisposeAsync();

        while (await server.FindRouteAsync("T") is not null)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public void Connection_OfALeavingBrokerEnds_RouteAndLeaseStayUntilTheTimeIsOver()
    {
        var routes = new Routes();
        routes.Register(connection: "first");
        Assert.True(routes.TryLease("a:1", "a"));

        routes.Registry.UnregisterBy("first");

        Assert.True(routes.Table.TryFindTopic("T", out _));
        routes.Time.Advance(TimeSpan.FromMilliseconds(ReturnMs));
        routes.Registry.UnregisterExpired(out _);
        Assert.True(routes.Table.TryFindTopic("T", out _));
        Assert.False(routes.TryLease("b:1", "b"));
        routes.Time.Advance(TimeSpan.FromMilliseconds(1));
        routes.Registry.UnregisterExpired(out _);
        Assert.False(routes.Table.TryFindTopic("T", out _));
        Assert.True(routes.TryLease("b:1", "b"));
    }

    [Fact]
    public void Connection_OfABrokerThatIsBackEnds_RouteGoes()
    {
        var routes = new Routes();
        routes.Register(connection: "first");
        Assert.True(routes.TryLease("a:1", "a"));
        routes.Registry.UnregisterBy("first");

        routes.Register(connection: "second");
        Assert.True(routes.Leases.Return(new BrokerIdentity(TestNameServer.Cluster, "a:1")));
        routes.Registry.UnregisterBy("second");

        Assert.False(routes.Table.TryFindTopic("T", out _));
    }

    private static async Task<(bool Granted, string Others)> LeaseAsync(
        TestNameServer server,
        string broker,
        int parallel = 1,
        long returnMs = ReturnMs,
        string cluster = TestNameServer.Cluster,
        RemotingClient? client = null)
    {
        RemotingCommand answer = await server.AskSuccessfullyAsync(
            RequestCode.LeaseDrain,
            new LeaseDrainHeader
            {
                ClusterName = cluster,
                BrokerName = broker,
                BrokerAddress = $"{broker}-0:10911",
                Parallel = parallel,
                LeaseMs = LeaseMs,
                ReturnMs = returnMs,
            },
            client: client);
        LeaseDrainResponseHeader header = LeaseDrainResponseHeader.Read(answer.Fields);
        return (header.Granted, header.Others);
    }

    private sealed class Routes
    {
        public Routes()
        {
            Leases = new DrainLeases(Time);
            var options = new LiveOptions(
                NameServerOptions.From(NameServerSettings.Catalogue().Load(new SettingsSources()).GetOrThrow()));
            var state = new RouteState(Time, NullLogger.Instance);
            Registry = new BrokerRegistry(state, options, Leases, NullLogger.Instance);
            Table = new RouteTable(state, options);
        }

        public ManualTime Time { get; } = new();

        public DrainLeases Leases { get; }

        public BrokerRegistry Registry { get; }

        public RouteTable Table { get; }

        public void Register(object connection) => Registry.Register(new BrokerRegistration(
            new BrokerIdentity(TestNameServer.Cluster, "a:1"),
            "a",
            0,
            "",
            null,
            TimeSpan.FromSeconds(120),
            false,
            TestNameServer.Topics("T", "U"),
            null,
            connection));

        public bool TryLease(string address, string name) => Leases.TryTake(
            new BrokerIdentity(TestNameServer.Cluster, address),
            name,
            1,
            TimeSpan.FromMilliseconds(LeaseMs),
            TimeSpan.FromMilliseconds(ReturnMs),
            out _);
    }
}
