using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos;

/// <summary>
/// Groups consume by conditions on properties, from where they have committed, while the server is killed and started again. At the end each
/// message that was acknowledged to its producer has to have come to every group whose condition it matches, and to no other.
/// </summary>
internal sealed class FilterKillRun(KillOptions options)
{
    private const string Topic = "ChaosFilter";
    private const int Groups = 6;
    private const int Producers = 4;
    private const int Types = 4;
    private const int Amounts = 10;
    private const int SuspendMs = 500;

    private static readonly byte[] TopicUtf8 = Encoding.UTF8.GetBytes(Topic);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    // By the message's id, which is its body.
    private readonly ConcurrentDictionary<string, Trade> _sent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool>[] _consumed =
        [.. Enumerable.Range(0, Groups).Select(_ => new ConcurrentDictionary<string, bool>(StringComparer.Ordinal))];
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly long[] _numbers = new long[Producers];
    private long _deliveries;

    /// <summary>Runs all rounds; true when nothing was wrong.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        string store = options.StoreDirectory ?? Directory.CreateTempSubdirectory("graymq-chaos-").FullName;
        var random = new Random(options.Seed);
        Console.WriteLine($"filter: {options.Rounds} kills, {options.FlushDiskType}, seed {options.Seed}");
        await using var server = new ServerUnderTest(options.Command, store, options.StartLimit, options.ServerSettings);
        for (int round = 1; round <= options.Rounds; round++)
        {
            await server.StartAsync(cancel);
            await LoadUntilKilledAsync(server, random.NextDouble() * options.MaxLife, cancel);
            Console.WriteLine($"kill {round}: {_sent.Count} sent, {_deliveries} delivered");
        }

        await server.StartAsync(cancel);
        await DrainAsync(server.BrokerAddress, cancel);
        await server.KillAsync();
        for (int group = 0; group < Groups; group++)
        {
            foreach ((string id, Trade trade) in _sent)
            {
                if (Matches(group, trade) && !_consumed[group].ContainsKey(id))
                {
                    _problems.Enqueue($"lost: {id} matches the condition of group {group}, and has not come to it");
                }
            }
        }

        foreach (string problem in _problems.Take(50))
        {
            Console.WriteLine(problem);
        }

        Console.WriteLine(
            $"filter: {options.Rounds} kills, {options.FlushDiskType}: {_sent.Count} sent, {_deliveries} delivered to {Groups} groups, "
            + $"{_problems.Count} problems");
        if (_problems.IsEmpty && options.StoreDirectory is null)
        {
            Directory.Delete(store, recursive: true);
        }

        return _problems.IsEmpty && _deliveries > 0;
    }

    private static string Condition(int group) => string.Create(
        CultureInfo.InvariantCulture, $"messageType = 't{group % Types}' AND amount >= {group} OR messageType IS NULL");

    private static bool Matches(int group, Trade trade) => trade.Type is null || (trade.Type == group % Types && trade.Amount >= group);

    private static byte[] GroupName(int group) => Encoding.UTF8.GetBytes($"chaos-filter-{group}");

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private async Task LoadUntilKilledAsync(ServerUnderTest server, TimeSpan life, CancellationToken cancel)
    {
        using var killed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using RemotingClient client = NewClient();
        List<Task> load =
        [
            .. Enumerable.Range(0, Producers).Select(producer => ProduceAsync(client, server.BrokerAddress, producer, killed.Token)),
            .. Enumerable.Range(0, Groups).Select(group => ConsumeAsync(client, server.BrokerAddress, group, killed.Token)),
        ];
        await Task.Delay(life, cancel);
        await server.KillAsync();
        await killed.CancelAsync();
        await Task.WhenAll(load);
    }

    private async Task ProduceAsync(RemotingClient client, string address, int producer, CancellationToken killed)
    {
        try
        {
            while (!killed.IsCancellationRequested)
            {
                long number = _numbers[producer]++;
                string id = $"{producer}-{number}";
                var trade = new Trade(number % 50 == 0 ? null : (int)(number % Types), (int)(number / Types % Amounts));
                string type = trade.Type is null ? "" : $"messageType\u0001t{trade.Type}\u0002";
                SendMessageHeader header = StockSend.Header("chaos", Topic, options.Queues, (int)(number % options.Queues)) with
                {
                    Properties = Encoding.UTF8.GetBytes($"{type}amount\u0001{trade.Amount}\u0002"),
                };
                RemotingCommand answer = await client.InvokeAsync(
                    address, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(id), CallTimeout, killed);
                if (answer.ResponseCode == ResponseCode.Success)
                {
                    _sent[id] = trade;
                }
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed.
        }
    }

    private async Task ConsumeAsync(RemotingClient client, string address, int group, CancellationToken killed)
    {
        try
        {
            await SubscribeAsync(client, address, group, killed);
            await Task.WhenAll(Enumerable.Range(0, options.Queues).Select(queue =>
                ConsumeAsync(client, address, group, queue, end: long.MaxValue, killed)));
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed.
        }
    }

    // What is left, to the queues' ends.
    private async Task DrainAsync(string address, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        for (int group = 0; group < Groups; group++)
        {
            await SubscribeAsync(client, address, group, cancel);
            for (int queue = 0; queue < options.Queues; queue++)
            {
                RemotingCommand answer = await client.InvokeAsync(
                    address, RequestCode.GetMaxOffset, new QueueHeader(Topic, queue), default, CallTimeout, cancel);
                await ConsumeAsync(client, address, group, queue, OffsetResponseHeader.Read(answer.Fields).Offset, cancel);
            }
        }
    }

    private static async Task SubscribeAsync(RemotingClient client, string address, int group, CancellationToken cancel)
    {
        var heartbeat = new HeartbeatData
        {
            ClientId = $"chaos-{group}",
            ConsumerDataSet =
            [
                new ConsumerData
                {
                    GroupName = Encoding.UTF8.GetString(GroupName(group)),
                    ConsumeType = ConsumeType.Passively,
                    MessageModel = MessageModel.Clustering,
                    SubscriptionDataSet =
                    [
                        new SubscriptionData { Topic = Topic, SubString = Condition(group), ExpressionType = "SQL92", SubVersion = 1 },
                    ],
                },
            ],
        };
        await client.InvokeAsync(
            address, RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(heartbeat), CallTimeout, cancel);
    }

    // From where the group has committed, committing with each pull what the one before brought.
    private async Task ConsumeAsync(RemotingClient client, string address, int group, int queue, long end, CancellationToken cancel)
    {
        long offset = await CommittedAsync(client, address, group, queue, cancel);
        while (offset < end)
        {
            RemotingCommand answer = await client.InvokeAsync(
                address,
                RequestCode.PullMessage,
                new PullMessageHeader
                {
                    ConsumerGroup = GroupName(group),
                    Topic = TopicUtf8,
                    QueueId = queue,
                    QueueOffset = offset,
                    MaxMessages = 32,
                    SysFlag = PullSysFlag.Suspend | PullSysFlag.CommitOffset,
                    CommitOffset = offset,
                    SuspendTimeoutMs = SuspendMs,
                },
                default,
                CallTimeout,
                cancel);
            switch (answer.ResponseCode)
            {
                case ResponseCode.Success:
                    Take(group, MessageDecoder.DecodeAll(answer.Body.ToArray()));
                    offset = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
                    break;
                case ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately or ResponseCode.PullOffsetMoved:
                    offset = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
                    break;
                case ResponseCode.TopicNotExist:
                    // Nobody has sent yet.
                    await Task.Delay(Pause, cancel);
                    break;
                default:
                    _problems.Enqueue($"pull of group {group} queue {queue}: {answer.ResponseCode} {answer.Remark}");
                    return;
            }
        }
    }

    private void Take(int group, List<ReceivedMessage> messages)
    {
        foreach (ReceivedMessage message in messages)
        {
            string id = Encoding.UTF8.GetString(message.Body.Span);
            Interlocked.Increment(ref _deliveries);
            _consumed[group][id] = true;
            string? type = message.Properties.GetValueOrDefault("messageType");
            var trade = new Trade(
                type is null ? null : int.Parse(type.AsSpan(1), CultureInfo.InvariantCulture),
                int.Parse(message.Properties["amount"], CultureInfo.InvariantCulture));
            if (!Matches(group, trade))
            {
                _problems.Enqueue($"wrong: {id} has come to group {group}, whose condition it does not match");
            }
        }
    }

    private static async Task<long> CommittedAsync(
        RemotingClient client, string address, int group, int queue, CancellationToken cancel)
    {
        RemotingCommand answer = await client.InvokeAsync(
            address,
            RequestCode.QueryConsumerOffset,
            new QueryConsumerOffsetHeader { ConsumerGroup = GroupName(group), Topic = TopicUtf8, QueueId = queue },
            default,
            CallTimeout,
            cancel);
        return answer.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(answer.Fields).Offset : 0;
    }

    /// <summary>What conditions ask of a message; no type means that the property is not there.</summary>
    private sealed record Trade(int? Type, int Amount);
}
