using System.Collections.Concurrent;
using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Assignments;

/// <summary>Whom the broker asks for routes, and what it makes of answers that do not agree.</summary>
public sealed class TopicRouteTableTests
{
    private const string Topic = "T";

    [Fact]
    public async Task FindRoute_WhoKnewItIsAwayAndAnotherDeniesIt_IsWhatWasKnown()
    {
        await using var parts = new PopParts();
        parts.CreateTopic(Topic);
        await using TestServer denies = await StartAsync(_ => null);
        await using TestServer knows = await StartAsync(_ => Route);
        var time = new ManualTime();
        await using RemotingClient client = Client();
        using TopicRouteTable routes = Routes(parts, client, time, denies, knows);
        Assert.Equal("broker-b", BrokerOf(await routes.FindRouteAsync(Topic)));

        await knows.DisposeAsync();
        time.Advance(TimeSpan.FromMinutes(1));

        // By the broker's own queues alone, all others would be consumed by nobody.
        Assert.Equal("broker-b", BrokerOf(await routes.FindRouteAsync(Topic)));
        Assert.Equal("broker-b", (await routes.FindQueuesAsync(Topic))?.Select(queue => queue.BrokerName).Distinct().Single());
    }

    [Fact]
    public async Task FindRoute_AllDenyWhatOneKnew_IsTheBrokersOwn()
    {
        await using var parts = new PopParts();
        parts.CreateTopic(Topic);
        TopicRouteData? route = Route;
        await using TestServer first = await StartAsync(_ => null);
        await using TestServer second = await StartAsync(_ => Volatile.Read(ref route));
        var time = new ManualTime();
        await using RemotingClient client = Client();
        using TopicRouteTable routes = Routes(parts, client, time, first, second);
        Assert.Equal("broker-b", BrokerOf(await routes.FindRouteAsync(Topic)));

        Volatile.Write(ref route, null);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("broker-a", BrokerOf(await routes.FindRouteAsync(Topic)));
        Assert.Equal("broker-a", (await routes.FindQueuesAsync(Topic))?.Select(queue => queue.BrokerName).Distinct().Single());
    }

    // Retry topics of groups that have none yet are asked for all the time.
    [Fact]
    public async Task FindQueues_AfterATopicThatNobodyKnows_AsksTheSameOneFirst()
    {
        await using var parts = new PopParts();
        var asked = new ConcurrentQueue<string>();
        await using TestServer first = await StartAsync(topic => topic == Topic ? Route : null);
        await using TestServer second = await StartAsync(topic =>
        {
            asked.Enqueue(topic);
            return topic == Topic ? Route : null;
        });
        await using RemotingClient client = Client();
        using TopicRouteTable routes = Routes(parts, client, new ManualTime(), first, second);

        Assert.Null(await routes.FindQueuesAsync("%RETRY%G"));
        Assert.NotNull(await routes.FindQueuesAsync(Topic));

        Assert.Equal(["%RETRY%G"], asked);
    }

    private static TopicRouteData Route => new()
    {
        BrokerDatas = [new BrokerData { BrokerName = "broker-b" }],
        QueueDatas = [new QueueData { BrokerName = "broker-b", Perm = 6, ReadQueueNums = 4, WriteQueueNums = 4 }],
    };

    private static string? BrokerOf(TopicRouteData? route) => route?.BrokerDatas.Single().BrokerName;

    private static RemotingClient Client() => new(
        RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private static TopicRouteTable Routes(PopParts parts, RemotingClient client, TimeProvider time, params TestServer[] nameServers) => new(
        new RouteOptions
        {
            BrokerName = "broker-a",
            NameServers = [.. nameServers.Select(server => server.Address)],
            RefreshPeriod = TimeSpan.FromSeconds(30),
        },
        parts.State.Topics,
        client,
        time,
        NullLogger<TopicRouteTable>.Instance);

    private static Task<TestServer> StartAsync(Func<string, TopicRouteData?> find) => TestServer.StartAsync(AssignmentTests.NameServer(find));
}
