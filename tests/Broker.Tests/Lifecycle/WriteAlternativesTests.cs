using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Serving;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>What asking name servers again and again costs, them and the log, while they do not know all brokers.</summary>
public sealed class WriteAlternativesTests
{
    private const int Looks = 3;

    [Fact]
    public async Task Find_NameServerDoesNotKnowYet_AsksOneQuestionALookAndLogsOnce()
    {
        await using var parts = new PopParts();
        await using TestNameServer nameServer = await TestNameServer.StartAsync();
        for (int i = 0; i < 40; i++)
        {
            parts.CreateTopic($"T{i}");
            nameServer.Elsewhere[$"T{i}"] = LeavingBroker.ReadWrite;
        }

        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        using var log = new ToldLog();
        var alternatives = new WriteAlternatives(Options(nameServer.Address), parts.State.Topics, client, log.CreateLogger<WriteAlternatives>());

        nameServer.IsNotReady = true;
        for (int look = 0; look < Looks; look++)
        {
            WriteAlternativesAnswer answer = await alternatives.FindAsync([], CancellationToken.None);
            Assert.Equal((null, true), (answer.Topics, answer.AskAgain));
        }

        Assert.Equal(Looks, nameServer.Asked);
        Assert.Single(log.Of("RoutesNotTold"));
        nameServer.IsNotReady = false;
        Assert.Equal(40, (await alternatives.FindAsync([], CancellationToken.None)).Topics?.Count);

        // It has told meanwhile: that it does not any more is worth another line.
        nameServer.IsNotReady = true;
        await alternatives.FindAsync([], CancellationToken.None);
        Assert.Equal(2, log.Of("RoutesNotTold").Count);
    }

    private static LifecycleOptions Options(string nameServer) => new()
    {
        NameServers = [nameServer],
        ClusterName = "C",
        BrokerName = "broker-a",
        BrokerAddress = "127.0.0.1:10911",
        Quiet = TimeSpan.Zero,
        MaxDrain = TimeSpan.Zero,
        Consumers = TimeSpan.Zero,
        Return = TimeSpan.Zero,
        Linger = TimeSpan.Zero,
        RegistrationDelay = TimeSpan.Zero,
        Warmup = new WarmupOptions
        {
            Curve = new WarmupCurve(TimeSpan.Zero, 1),
            ReadyWhenWarm = false,
            TailBytes = 0,
            Rehearsal = TimeSpan.Zero,
        },
        ProbeCodes = [],
        ProbeTopics = [],
    };
}
