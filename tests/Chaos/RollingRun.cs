using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos;

/// <summary>
/// Three brokers and two name servers; each broker in turn is stopped and started again while producers send as stock clients do, by a
/// route that they ask for now and then, and without trying again. Counts the sends that failed, and what was acknowledged and is not
/// there at the end.
/// </summary>
/// <param name="command">The graymq command.</param>
/// <param name="drains">Whether brokers leave before they stop (SIGTERM), or stop at once (SIGINT).</param>
/// <param name="routePoll">How often producers ask for the route; 30 s for stock clients.</param>
internal sealed class RollingRun(string command, bool drains, TimeSpan routePoll)
{
    private const string Topic = "Rolling";
    private const int Brokers = 3;
    private const int Producers = 6;
    private const int Queues = 4;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, string> _acknowledged = new();

    // By producer: the brokers that the route showed it when it last asked.
    private readonly ConcurrentDictionary<int, int> _known = new();
    private readonly List<Process> _processes = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("graymq-rolling-").FullName;
    private readonly string[] _addresses = [.. FreePorts().Take(Brokers).Select(port => $"127.0.0.1:{port}")];
    private readonly string[] _nameServers = [$"127.0.0.1:{FreePort()}", $"127.0.0.1:{FreePort()}"];
    private long _failed;
    private long _slowestTicks;

    /// <summary>Runs once through all brokers; true when nothing failed and nothing was lost.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        try
        {
            return await RunThroughAsync(cancel);
        }
        finally
        {
            foreach (Process process in _processes.Where(process => !process.HasExited))
            {
                process.Kill();
            }

            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<bool> RunThroughAsync(CancellationToken cancel)
    {
        foreach (string address in _nameServers)
        {
            Start(
                "namesrv", "--set", "bindAddress=127.0.0.1", "--set", $"listenPort={PortOf(address)}",
                "--set", $"kvConfigPath={Path.Combine(_folder, PortOf(address), "kvConfig.json")}");
            await UntilAcceptsAsync(address, cancel);
        }

        var brokers = new Process[Brokers];
        for (int i = 0; i < Brokers; i++)
        {
            brokers[i] = await StartBrokerAsync(i, cancel);
            await CreateTopicAsync(i, cancel);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] producing = [.. Enumerable.Range(0, Producers).Select(id => ProduceAsync(id, stop.Token))];
        for (int i = 0; i < Brokers; i++)
        {
            await UntilKnownAsync(cancel);
            long begun = Stopwatch.GetTimestamp();
            using (var signal = Process.Start("kill", [drains ? "-TERM" : "-INT", $"{brokers[i].Id}"]))
            {
                await signal.WaitForExitAsync(cancel);
            }

            await brokers[i].WaitForExitAsync(cancel);
            Console.WriteLine(
                $"broker {i}: stopped in {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:F0} ms with {brokers[i].ExitCode}; "
                + $"{_acknowledged.Count} acknowledged, {_failed} failed");
            brokers[i] = await StartBrokerAsync(i, cancel);
        }

        await UntilKnownAsync(cancel);
        await stop.CancelAsync();
        await Task.WhenAll(producing);
        int lost = await CountLostAsync(cancel);
        Console.WriteLine(
            $"{(drains ? "drained" : "plain")} stop of {Brokers} brokers: {_acknowledged.Count} acknowledged, {_failed} sends failed, {lost} lost, "
            + $"slowest send {new TimeSpan(_slowestTicks).TotalMilliseconds:F0} ms");
        return _failed == 0 && lost == 0 && !_acknowledged.IsEmpty;
    }

    // Until every producer has asked for the route anew and was told of all brokers: none goes before the last one is back in use.
    private async Task UntilKnownAsync(CancellationToken cancel)
    {
        _known.Clear();
        long begun = Stopwatch.GetTimestamp();
        while (Enumerable.Range(0, Producers).Any(id => _known.GetValueOrDefault(id) != Brokers))
        {
            if (Stopwatch.GetElapsedTime(begun) > StartLimit + (2 * routePoll))
            {
                throw new TimeoutException("the producers were not told of all brokers");
            }

            await Task.Delay(Pause, cancel);
        }
    }

    private async Task<Process> StartBrokerAsync(int i, CancellationToken cancel)
    {
        Process process = Start(
            "broker", "-n", string.Join(';', _nameServers), "--set", $"brokerName=broker-{i}", "--set", "bindAddress=127.0.0.1",
            "--set", "brokerIP1=127.0.0.1", "--set", $"listenPort={PortOf(_addresses[i])}",
            "--set", $"storePathRootDir={Path.Combine(_folder, $"broker-{i}")}", "--set", "mappedFileSizeCommitLog=16777216",
            "--set", $"drainQuietMs={(2 * routePoll).TotalMilliseconds:F0}");
        await UntilAcceptsAsync(_addresses[i], cancel);
        return process;
    }

    private async Task CreateTopicAsync(int i, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        RemotingCommand answer = await client.InvokeAsync(
            _addresses[i],
            RequestCode.UpdateAndCreateTopic,
            new CreateTopicHeader { Topic = Topic, ReadQueueNums = Queues, WriteQueueNums = Queues, Permission = TopicPermission.ReadWrite },
            default,
            CallTimeout,
            cancel);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            throw new InvalidOperationException($"the topic cannot be made: {answer.ResponseCode} {answer.Remark}");
        }
    }

    // As a stock producer: queue by queue through those that the last known route shows as writable.
    private async Task ProduceAsync(int id, CancellationToken stop)
    {
        await using RemotingClient client = NewClient();
        (string Address, int QueueId)[] queues = [];
        long asked = 0;
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            if (queues.Length == 0 || Stopwatch.GetElapsedTime(asked) > routePoll)
            {
                queues = await FindQueuesAsync(client, _nameServers[(id + number) % _nameServers.Length]) ?? queues;
                asked = Stopwatch.GetTimestamp();
                _known[id] = queues.DistinctBy(queue => queue.Address).Count();
            }

            if (queues.Length > 0)
            {
                (string address, int queueId) = queues[number % queues.Length];
                await SendAsync(client, address, queueId, $"{id}-{number}");
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task SendAsync(RemotingClient client, string address, int queueId, string body)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            RemotingCommand answer = await client.InvokeAsync(
                address,
                RequestCode.SendMessageV2,
                new SendMessageHeader
                {
                    ProducerGroup = "rolling"u8.ToArray(),
                    Topic = Encoding.UTF8.GetBytes(Topic),
                    DefaultTopic = "TBW102"u8.ToArray(),
                    DefaultTopicQueueNums = Queues,
                    QueueId = queueId,
                    BornTimestampMs = 1,
                },
                Encoding.UTF8.GetBytes(body),
                CallTimeout);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                _acknowledged[body] = address;
                _slowestTicks = Math.Max(_slowestTicks, Stopwatch.GetElapsedTime(begun).Ticks);
                return;
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Counted below.
        }

        Interlocked.Increment(ref _failed);
    }

    private static async Task<(string Address, int QueueId)[]?> FindQueuesAsync(RemotingClient client, string nameServer)
    {
        try
        {
            RemotingCommand answer = await client.InvokeAsync(
                nameServer, RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(Topic), default, CallTimeout);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                return null;
            }

            TopicRouteData route = BodyCodec.Decode<TopicRouteData>(answer.Body);
            return
            [
                .. from data in route.QueueDatas
                   where TopicPermission.IsWritable(data.Perm)
                   from broker in route.BrokerDatas
                   where broker.BrokerName == data.BrokerName && broker.BrokerAddrs.ContainsKey(BrokerData.MasterId)
                   from queueId in Enumerable.Range(0, data.WriteQueueNums)
                   select (broker.BrokerAddrs[BrokerData.MasterId], queueId),
            ];
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<int> CountLostAsync(CancellationToken cancel)
    {
        var stored = new HashSet<string>(StringComparer.Ordinal);
        await using RemotingClient client = NewClient();
        foreach (string address in _addresses)
        {
            for (int queueId = 0; queueId < Queues; queueId++)
            {
                await ReadAsync(client, address, queueId, stored, cancel);
            }
        }

        return _acknowledged.Keys.Count(body => !stored.Contains(body));
    }

    private static async Task ReadAsync(
        RemotingClient client, string address, int queueId, HashSet<string> stored, CancellationToken cancel)
    {
        long next = 0;
        while (true)
        {
            RemotingCommand answer = await client.InvokeAsync(
                address,
                RequestCode.PullMessage,
                new PullMessageHeader
                {
                    ConsumerGroup = "rolling-check"u8.ToArray(),
                    Topic = Encoding.UTF8.GetBytes(Topic),
                    QueueId = queueId,
                    QueueOffset = next,
                    MaxMessages = 32,
                    SysFlag = PullSysFlag.Subscription,
                    Subscription = "*"u8.ToArray(),
                },
                default,
                CallTimeout,
                cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                return;
            }

            next = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
            foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.ToArray()))
            {
                stored.Add(Encoding.UTF8.GetString(message.Body.Span));
            }
        }
    }

    private Process Start(params string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{command} does not start");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
        return process;
    }

    private static async Task UntilAcceptsAsync(string address, CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPEndPoint.Parse(address), cancel);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(begun) < StartLimit)
            {
                await Task.Delay(Pause, cancel);
            }
        }
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private static string PortOf(string address) => address.Split(':')[1];

    // A broker listens on the port 2 below as well.
    private static IEnumerable<int> FreePorts()
    {
        var taken = new HashSet<int>();
        while (true)
        {
            int port = FreePort();
            if (!taken.Overlaps([port - 2, port, port + 2]))
            {
                taken.Add(port);
                yield return port;
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
