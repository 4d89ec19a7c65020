using System.Diagnostics;
using GrayMQ.Chaos.Clusters;
using GrayMQ.Chaos.Rolling;
using GrayMQ.Chaos.Rolling.Stock;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos.TakeOver;

/// <summary>
/// One broker with much in its log, the only one of its topic, whose place is taken again and again while stock producers send with their
/// default retries and a stock consumer pulls: how long nobody is answered, and whether anything fails.
/// </summary>
/// <param name="command">The graymq command.</param>
/// <param name="logBytes">What the log holds before it begins.</param>
/// <param name="times">How often the place is taken.</param>
internal sealed class TakeOverRun(string command, long logBytes, int times)
{
    private const string Topic = "TakenOver";
    private const string FillTopic = "TakenOverFill";
    private const int Queues = 4;
    private const int Producers = 4;
    private const int DefaultTries = 3;
    private const int FillBodyBytes = 1024 * 1024;
    private const int FillAtATime = 8;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>True when no send failed, nothing was lost, and nothing came again that had been committed.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync(
            new ClusterOptions { Command = command, Brokers = 1, NameServers = 1, CommitLogFileBytes = 1024 * 1024 * 1024 }, cancel);
        BrokerNode broker = cluster.Brokers[0];
        await CreateTopicsAsync(broker, cancel);
        await FillAsync(broker, cancel);

        // What the filling has left to write is no part of what is measured.
        using (var sync = Process.Start("sync"))
        {
            await sync.WaitForExitAsync(cancel);
        }

        var settings = new LoadSettings
        {
            NameServers = [cluster.NameServerList],
            RoutePoll = TimeSpan.FromSeconds(30),
            CommitInterval = TimeSpan.FromSeconds(5),
            SendTimeout = TimeSpan.FromSeconds(3),
            GrpcEndpoint = broker.GrpcAddress,
            Pause = TimeSpan.FromMilliseconds(1),
        };
        var timeline = new Timeline();
        var sends = new SendRecord(Topic, timeline);
        var group = new GroupRecord("taken-over", sends, timeline, tellsConfirmed: true);
        ILoad[] producers = [.. Enumerable.Range(0, Producers).Select(i => new StockProducer(settings, $"p{i}", sends, DefaultTries))];
        var consumer = new StockPullConsumer(settings, group);
        try
        {
            await consumer.StartAsync();
            await Task.WhenAll(producers.Select(producer => producer.StartAsync()));
            for (int i = 0; i < times; i++)
            {
                await Task.Delay(Calm, cancel);
                sends.RestartGap();
                long begun = Stopwatch.GetTimestamp();
                await broker.ReplaceAsync(cancel);
                TimeSpan took = Stopwatch.GetElapsedTime(begun);
                await Task.Delay(Calm, cancel);
                Console.WriteLine(
                    $"take-over {i + 1}: no answer for {sends.LongestGap.TotalMilliseconds:F0} ms; from the successor's start to the old process's end {took.TotalSeconds:F1} s");
            }

            await Task.WhenAll(producers.Select(producer => producer.StopAsync()));
            long stopped = Stopwatch.GetTimestamp();
            while (group.Missing.Count > 0 && Stopwatch.GetElapsedTime(stopped) < CatchUpLimit)
            {
                await Task.Delay(LookInterval, cancel);
            }

            await consumer.StopAsync();
        }
        finally
        {
            foreach (ILoad load in producers.Append(consumer))
            {
                await load.DisposeAsync();
            }
        }

        var result = new RollingResult($"{times} take-overs with {logBytes / (1024 * 1024)} MiB of log", [sends], [group], timeline);
        result.Print();
        return result.IsClean;
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task CreateTopicsAsync(BrokerNode broker, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        foreach (string topic in new[] { Topic, FillTopic })
        {
            RemotingCommand answer = await client.InvokeAsync(
                broker.Address,
                RequestCode.UpdateAndCreateTopic,
                new CreateTopicHeader { Topic = topic, ReadQueueNums = Queues, WriteQueueNums = Queues, Permission = TopicPermission.ReadWrite },
                default,
                CallTimeout,
                cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                throw new InvalidOperationException($"{topic}: {answer.ResponseCode} {answer.Remark}");
            }
        }
    }

    private async Task FillAsync(BrokerNode broker, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        byte[] body = new byte[FillBodyBytes];
        long left = logBytes / FillBodyBytes;
        long begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, FillAtATime).Select(async queue =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                RemotingCommand answer = await client.InvokeAsync(
                    broker.Address,
                    RequestCode.SendMessageV2,
                    StockSend.Header("fill", FillTopic, Queues, queue % Queues),
                    body,
                    CallTimeout,
                    cancel);
                if (answer.ResponseCode != ResponseCode.Success)
                {
                    throw new InvalidOperationException($"{FillTopic}: {answer.ResponseCode} {answer.Remark}");
                }
            }
        }));
        Console.WriteLine($"{logBytes / (1024 * 1024)} MiB stored in {Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} s");
    }
}
