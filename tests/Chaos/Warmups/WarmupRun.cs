using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using GrayMQ.Chaos.Clusters;
using GrayMQ.Chaos.Rolling;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos.Warmups;

/// <summary>
/// Three brokers under a steady load. One of them leaves and comes back, with its warm-up and without: its part of the sends by second beside
/// the curve that it is told to follow, and how long its first sends take.
/// </summary>
internal sealed class WarmupRun(WarmupOptions options)
{
    private const string Topic = "warmup";
    private const int Queues = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private readonly ConcurrentQueue<SendSample> _samples = new();

    /// <returns>Whether no send failed, and the broker's part grew as it ought to.</returns>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        string[] warm =
        [
            string.Create(CultureInfo.InvariantCulture, $"warmupMs={options.Warmup.TotalMilliseconds:F0}"),
            string.Create(CultureInfo.InvariantCulture, $"warmupExponent={options.Exponent}"),
            string.Create(CultureInfo.InvariantCulture, $"drainQuietMs={options.RoutePoll.TotalMilliseconds + 2000:F0}"),
        ];
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync(
            new ClusterOptions { Command = options.Command, BrokerSettings = warm }, cancel);
        await CreateTopicAsync(cluster, cancel);
        var settings = new LoadSettings
        {
            NameServers = [.. cluster.NameServers.Select(server => server.Address)],
            GrpcEndpoint = cluster.Brokers[0].GrpcAddress,
            RoutePoll = options.RoutePoll,
            CommitInterval = TimeSpan.FromSeconds(5),
            SendTimeout = TimeSpan.FromSeconds(10),
            Pause = Pause,
        };
        var producers = new List<MeasuredProducer>();
        try
        {
            for (int i = 0; i < options.Producers; i++)
            {
                var producer = new MeasuredProducer(settings, Topic, $"producer-{i}", _samples);
                producers.Add(producer);
                await producer.StartAsync();

                // As the polls of many clients are.
                await Task.Delay(options.RoutePoll / options.Producers, cancel);
            }

            await Task.Delay(options.Calm, cancel);
            long steady = Stopwatch.GetTimestamp();
            BrokerNode broker = cluster.Brokers[0];
            ShareByTime grown = await ReturnAsync(broker, [], cancel);
            long between = Stopwatch.GetTimestamp();
            ShareByTime cold = await ReturnAsync(broker, ["warmupMs=0", "rehearsalMs=0", "warmupTailMb=0"], cancel);
            await Task.WhenAll(producers.Select(producer => producer.StopAsync()));

            Print("steady state", LatenciesBefore(broker, steady));
            Print("with warm-up, the first 10 s of sends", grown.FirstLatencies(First));
            Print("with warm-up, the last 10 s of the run", LatenciesBefore(broker, between));
            Print("without, the first 10 s of sends", cold.FirstLatencies(First));
            int failed = producers.Sum(producer => producer.Failed);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sends acknowledged {_samples.Count}, failed {failed}"));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"part of the sends: greatest distance from the curve {grown.GreatestDistance(Curve):P1} points"));
            if (options.Plot is { } path)
            {
                await File.WriteAllTextAsync(path, Draw(grown, cold), cancel);
            }

            return failed == 0;
        }
        finally
        {
            foreach (MeasuredProducer producer in producers)
            {
                await producer.DisposeAsync();
            }
        }
    }

    // What the routes are to show: these queues of the broker among all of those of the others.
    private double Curve(TimeSpan sending)
    {
        double share = sending >= options.Warmup ? 1 : Math.Pow(Math.Max(0, sending / options.Warmup), options.Exponent);
        double shown = Math.Max(1, Math.Ceiling(Queues * share));
        return shown / (shown + (2 * Queues));
    }

    private async Task<ShareByTime> ReturnAsync(BrokerNode broker, string[] more, CancellationToken cancel)
    {
        await broker.DrainAsync("restart", cancel);
        await broker.StopAsync("TERM", cancel);
        int before = _samples.Count;
        await broker.StartWithAsync(more, cancel);
        await broker.UntilWarmOrIdleAsync(options.Warmup + TimeSpan.FromMinutes(2), cancel);
        await Task.Delay(options.Calm, cancel);
        return new ShareByTime(broker.Name, [.. _samples.Skip(before)]);
    }

    private string Draw(ShareByTime grown, ShareByTime cold)
    {
        double end = grown.Seconds[^1].At.TotalSeconds;
        string title = string.Create(
            CultureInfo.InvariantCulture,
            $"percent of the sends that one broker of three gets, by second from its first on; warmupMs={options.Warmup.TotalMilliseconds:F0}, "
            + $"{options.Producers} producers, routes every {options.RoutePoll.TotalSeconds:F0} s");
        return TimePlot.Draw(new PlotPanel(
            title,
            [
                Line("with warm-up", "#1f77b4", grown.Seconds),
                Line("as configured", "#999999", grown.Seconds.Select(second => (second.At, Curve(second.At)))),
                Line("without", "#d62728", cold.Seconds.TakeWhile(second => second.At.TotalSeconds <= end)),
            ]));

        static PlotLine Line(string name, string colour, IEnumerable<(TimeSpan At, double Share)> points) =>
            new(name, colour, [.. points.Select(point => (point.At.TotalSeconds, 100 * point.Share))]);
    }

    private TimeSpan[] LatenciesBefore(BrokerNode broker, long end)
    {
        long begin = end - (long)(First.TotalSeconds * Stopwatch.Frequency);
        return [.. _samples.Where(sample => sample.Broker == broker.Name && sample.Begun >= begin && sample.Begun < end).Select(sample => sample.Took)];
    }

    private static void Print(string what, TimeSpan[] latencies)
    {
        Array.Sort(latencies);
        double At(double part) => latencies.Length == 0 ? 0 : latencies[(int)Math.Min(latencies.Length - 1, latencies.Length * part)].TotalMilliseconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {latencies.Length} sends, median {At(0.5):F1} ms, p99 {At(0.99):F1} ms, longest {At(1):F1} ms"));
    }

    private static async Task CreateTopicAsync(ClusterUnderTest cluster, CancellationToken cancel)
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        foreach (BrokerNode broker in cluster.Brokers)
        {
            RemotingCommand answer = await client.InvokeAsync(
                broker.Address,
                RequestCode.UpdateAndCreateTopic,
                new CreateTopicHeader { Topic = Topic, ReadQueueNums = Queues, WriteQueueNums = Queues, Permission = 6 },
                default,
                CallTimeout,
                cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                throw new InvalidOperationException($"{broker.Name} does not make the topic: {answer.ResponseCode} {answer.Remark}");
            }
        }
    }
}
