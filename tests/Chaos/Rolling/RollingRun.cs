using System.Diagnostics;
using System.Globalization;
using GrayMQ.Chaos.Clusters;
using GrayMQ.Chaos.Rolling.Npm;
using GrayMQ.Chaos.Rolling.Stock;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos.Rolling;

/// <summary>
/// Three brokers and two name servers; each in turn leaves, stops, is started again and warmed, while clients of every kind send and
/// receive. Counts the sends that failed, what was lost, and what came twice.
/// </summary>
internal sealed class RollingRun(RollingOptions options)
{
    private const int Queues = 4;
    private const string OrderNamespace = "ORDER_TOPIC_CONFIG";
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromSeconds(90);

    /// <summary>Runs once through all servers.</summary>
    public async Task<RollingResult> RunAsync(CancellationToken cancel)
    {
        using NpmClients? npm = options.AliOns || options.Grpc ? await NpmClients.InstallAsync(options.AliOns, options.Grpc) : null;
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync(ClusterOptions(), cancel);
        await using LoadBalancer? front = options.HAProxy ? await HAProxyFront.StartAsync(cluster.Brokers) : null;
        await CreateTopicsAsync(cluster, cancel);
        var timeline = new Timeline();
        var settings = new LoadSettings
        {
            NameServers = [.. cluster.NameServers.Select(server => server.Address)],
            RoutePoll = options.RoutePoll,
            CommitInterval = TimeSpan.FromSeconds(Math.Min(5, options.RoutePoll.TotalSeconds)),
            SendTimeout = options.SendTimeout,
            GrpcEndpoint = cluster.Brokers[0].GrpcAddress,
            Pause = options.Pause,
        };
        await using var load = new RollingLoad(settings, timeline, npm, cannotMove: CannotMove);
        await using var scaleIn = new ScaleIn(options.Command, cluster.Brokers[^1], settings, Quiet, timeline);
        await load.StartAsync();
        await UntilKnownAsync(load, cluster, cancel);
        await Task.Delay(options.Calm, cancel);
        load.Measure(on: true);
        if (options.ScaleIn)
        {
            await scaleIn.RunAsync(cancel);
            await Task.Delay(options.Calm, cancel);
        }
        else
        {
            await RestartAllAsync(cluster, load, timeline, cancel);
        }

        await load.StopProducersAsync();
        load.Measure(on: false);
        timeline.Say("producers have stopped");
        await UntilConsumedAsync(load, cancel);
        await load.StopConsumersAsync();
        return options.ScaleIn
            ? new RollingResult("left for good", [.. load.Sends, scaleIn.Sends], [.. load.Groups, .. scaleIn.Groups], timeline)
            : new RollingResult(options.Drains ? "drained" : "stopped at once", load.Sends, load.Groups, timeline);
    }

    // As the default is to stock clients' 30 s.
    private TimeSpan Quiet => (options.RoutePoll * 7 / 6) + TimeSpan.FromSeconds(2);

    // What cannot move comes back in place, which is not what somebody does who leaves for good.
    private bool CannotMove => !options.HAProxy && !options.ScaleIn;

    private ClusterOptions ClusterOptions() => new()
    {
        Command = options.Command,
        KeepsSockets = options.Drains && CannotMove,
        Host = options.HAProxy ? HAProxyFront.Address : "127.0.0.1",
        NameServerSettings = ["orderMessageEnable=true"],
        BrokerSettings =
        [
            string.Create(CultureInfo.InvariantCulture, $"drainQuietMs={Quiet.TotalMilliseconds:F0}"),
            string.Create(CultureInfo.InvariantCulture, $"drainLingerMs={2 * options.RoutePoll.TotalMilliseconds:F0}"),
            "transactionTimeOut=3000", "transactionCheckInterval=1000", "transactionCheckMax=100",
            .. options.HAProxy ? HAProxyFront.BrokerSettings : [],
            string.Create(CultureInfo.InvariantCulture, $"warmupMs={options.Warmup.TotalMilliseconds:F0}"),
        ],
    };

    private async Task RestartAllAsync(ClusterUnderTest cluster, RollingLoad load, Timeline timeline, CancellationToken cancel)
    {
        foreach (BrokerNode broker in cluster.Brokers)
        {
            await RestartAsync(broker, timeline, cancel);
            await UntilKnownAsync(load, cluster, cancel);
            await broker.UntilWarmAsync(cancel);
            await Task.Delay(options.Calm, cancel);
        }

        foreach (NameServerNode server in options.NameServers ? cluster.NameServers : [])
        {
            double begun = timeline.Seconds;
            timeline.Say($"name server {server.Address} stops");
            await server.StopAsync(cancel);
            await server.StartAsync(cancel);
            timeline.Say("it is back");
            timeline.EndBand(begun);
            await UntilKnownAsync(load, cluster, cancel);
            await Task.Delay(options.Calm, cancel);
        }
    }

    private async Task RestartAsync(BrokerNode broker, Timeline timeline, CancellationToken cancel)
    {
        double begun = timeline.Seconds;
        if (options.Drains)
        {
            timeline.Say($"{broker.Name} leaves");
            await broker.DrainAsync("restart", cancel);
        }

        timeline.Say($"{broker.Name} stops");
        await broker.StopAsync(options.Drains ? "TERM" : "INT", cancel);
        await broker.StartAsync(cancel);
        timeline.Say($"{broker.Name} is back");
        timeline.EndBand(begun);
    }

    private static async Task CreateTopicsAsync(ClusterUnderTest cluster, CancellationToken cancel)
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        string order = string.Join(';', cluster.Brokers.Select(broker => $"{broker.Name}:{Queues}"));
        foreach (NameServerNode server in cluster.NameServers)
        {
            await AskAsync(
                server.Address,
                RequestCode.PutKVConfig,
                new PutKVConfigHeader { Namespace = OrderNamespace, Key = RollingLoad.Ordered, Value = order });
        }

        foreach (BrokerNode broker in cluster.Brokers)
        {
            foreach (string topic in new[] { RollingLoad.Moving, RollingLoad.Transactions, RollingLoad.Ordered, ScaleIn.Topic })
            {
                await CreateAsync(broker, topic);
            }
        }

        await CreateAsync(cluster.Brokers[0], RollingLoad.Alone);

        Task CreateAsync(BrokerNode broker, string topic) => AskAsync(
            broker.Address,
            RequestCode.UpdateAndCreateTopic,
            new CreateTopicHeader
            {
                Topic = topic,
                ReadQueueNums = Queues,
                WriteQueueNums = Queues,
                Permission = TopicPermission.ReadWrite,
                Order = topic == RollingLoad.Ordered,
            });

        async Task AskAsync<THeader>(string address, RequestCode code, THeader header)
            where THeader : IHeaderFields
        {
            RemotingCommand answer = await client.InvokeAsync(address, code, header, default, CallTimeout, cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                throw new InvalidOperationException($"{code}: {answer.ResponseCode} {answer.Remark}");
            }
        }
    }

    // Until every producer has asked for the route anew and was told of all brokers: none goes before the last one is back in use.
    private async Task UntilKnownAsync(RollingLoad load, ClusterUnderTest cluster, CancellationToken cancel)
    {
        StockProducer[] producers = [.. load.StockProducersOf(RollingLoad.Moving)];
        Array.ForEach(producers, producer => producer.ForgetRoute());
        long begun = Stopwatch.GetTimestamp();
        while (producers.Any(producer => producer.KnownBrokers != cluster.Brokers.Count))
        {
            if (Stopwatch.GetElapsedTime(begun) > CatchUpLimit + (2 * options.RoutePoll))
            {
                throw new TimeoutException("the producers were not told of all brokers");
            }

            await Task.Delay(LookInterval, cancel);
        }
    }

    // What is not there at the end of this time is lost.
    private static async Task UntilConsumedAsync(RollingLoad load, CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!load.IsConsumed && Stopwatch.GetElapsedTime(begun) < CatchUpLimit)
        {
            await Task.Delay(LookInterval, cancel);
        }
    }
}
