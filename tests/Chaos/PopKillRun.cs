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
/// Producers send and consumers pop, ack, change times and forget messages, while the server is killed and started again. At the end
/// everything is popped: each message that was acknowledged to its producer has to be acked once, and no message may be handed out
/// after an ack of it was answered with success.
/// </summary>
internal sealed class PopKillRun(KillOptions options)
{
    private const string Topic = "ChaosPop";
    private const string Group = "chaos-pop";
    private const string BrokerName = "chaos-broker";
    private const int Consumers = 6;
    private const int Producers = 4;
    private const int MaxMessages = 32;
    private const long InvisibleMs = 1500;

    private static readonly byte[] TopicUtf8 = Encoding.UTF8.GetBytes(Topic);
    private static readonly byte[] GroupUtf8 = Encoding.UTF8.GetBytes(Group);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    // A round without a message for so long is the end: nothing is invisible any more.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(4 * InvisibleMs);

    private readonly ConcurrentDictionary<string, bool> _sent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _acked = new(StringComparer.Ordinal);
    // Acks whose answers the kill took along: nobody knows whether they count.
    private readonly ConcurrentDictionary<string, bool> _unknown = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly long[] _numbers = new long[Producers];
    private long _deliveries;
    private long _retries;

    /// <summary>Settings that the server has to have.</summary>
    public static IReadOnlyList<string> Settings { get; } = [$"broker.brokerName={BrokerName}"];

    /// <summary>Runs all rounds; true when nothing was wrong.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        string store = options.StoreDirectory ?? Directory.CreateTempSubdirectory("graymq-chaos-").FullName;
        var random = new Random(options.Seed);
        Console.WriteLine($"pop: {options.Rounds} kills, {options.FlushDiskType}, seed {options.Seed}");
        await using var server = new ServerUnderTest(
            options.Command, store, options.StartLimit, [.. options.ServerSettings, .. Settings]);
        for (int round = 1; round <= options.Rounds; round++)
        {
            await server.StartAsync(cancel);
            await LoadUntilKilledAsync(server, random.Next(), random.NextDouble() * options.MaxLife, cancel);
            Console.WriteLine($"kill {round}: {_sent.Count} sent, {_deliveries} delivered, {_retries} of them again, {_acked.Count} acked");
        }

        await server.StartAsync(cancel);
        await DrainAsync(server.BrokerAddress, cancel);
        await server.KillAsync();
        foreach (string id in _sent.Keys.Where(id => !_acked.ContainsKey(id) && !_unknown.ContainsKey(id)))
        {
            _problems.Enqueue($"lost: {id} was acknowledged to its producer and never came to an ack");
        }

        foreach (string problem in _problems.Take(50))
        {
            Console.WriteLine(problem);
        }

        Console.WriteLine(
            $"pop: {options.Rounds} kills, {options.FlushDiskType}: {_sent.Count} sent, {_deliveries} delivered, {_retries} of them again, "
            + $"{_acked.Count} acked, {_problems.Count} problems");
        if (_problems.IsEmpty && options.StoreDirectory is null)
        {
            Directory.Delete(store, recursive: true);
        }

        return _problems.IsEmpty && !_sent.IsEmpty;
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private async Task LoadUntilKilledAsync(ServerUnderTest server, int seed, TimeSpan life, CancellationToken cancel)
    {
        using var killed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using RemotingClient client = NewClient();
        List<Task> load =
        [
            .. Enumerable.Range(0, Producers).Select(producer => ProduceAsync(client, server.BrokerAddress, producer, killed.Token)),
            .. Enumerable.Range(0, Consumers).Select(consumer => ConsumeAsync(client, server.BrokerAddress, new Random(seed + consumer), killed.Token)),
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
                SendMessageHeader header = StockSend.Header("chaos", Topic, options.Queues, (int)(number % options.Queues));
                RemotingCommand answer = await client.InvokeAsync(
                    address, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(id), CallTimeout, killed);
                if (answer.ResponseCode == ResponseCode.Success)
                {
                    _sent[id] = true;
                }
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed.
        }
    }

    private async Task ConsumeAsync(RemotingClient client, string address, Random random, CancellationToken killed)
    {
        try
        {
            while (!killed.IsCancellationRequested)
            {
                List<Taken> taken = await PopAsync(client, address, pollMs: 500, killed);
                switch (random.Next(10))
                {
                    case 0:
                        // Forgotten: they come again when their time is up.
                        break;
                    case < 4:
                        await AckManyAsync(client, address, taken.Where(_ => random.Next(4) != 0).ToList(), killed);
                        break;
                    default:
                        await HandleEachAsync(client, address, taken, random, killed);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed.
        }
    }

    private async Task HandleEachAsync(
        RemotingClient client, string address, List<Taken> taken, Random random, CancellationToken killed)
    {
        foreach (Taken message in taken)
        {
            switch (random.Next(12))
            {
                case 0:
                    break;
                case 1:
                    await ChangeAsync(client, address, message, random.Next(500), killed);
                    break;
                default:
                    await AckAsync(client, address, message, killed);
                    break;
            }
        }
    }

    private async Task DrainAsync(string address, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        long lastMs = Environment.TickCount64;
        while (Environment.TickCount64 - lastMs < Silence.TotalMilliseconds)
        {
            foreach (Taken message in await PopAsync(client, address, pollMs: 1000, cancel))
            {
                lastMs = Environment.TickCount64;
                await AckAsync(client, address, message, cancel);
            }
        }
    }

    private async Task<List<Taken>> PopAsync(RemotingClient client, string address, long pollMs, CancellationToken cancel)
    {
        var header = new PopMessageHeader
        {
            ConsumerGroup = GroupUtf8,
            Topic = TopicUtf8,
            QueueId = PopMessageHeader.AnyQueue,
            MaxMessages = MaxMessages,
            InvisibleTimeMs = InvisibleMs,
            PollTimeMs = pollMs,
        };
        RemotingCommand answer = await client.InvokeAsync(address, RequestCode.PopMessage, header, default, CallTimeout, cancel);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            return [];
        }

        PopMessageResponseHeader told = PopMessageResponseHeader.Read(answer.Fields);
        Dictionary<string, string> starts = Encoding.UTF8.GetString(told.StartOffsetInfo.Span).Split(';')
            .Select(queue => queue.Split(' ')).ToDictionary(queue => queue[0] + queue[1], queue => queue[2], StringComparer.Ordinal);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(answer.Body.FirstSpan);
        return messages.ConvertAll(message => Take(message, told, starts));
    }

    private Taken Take(ReceivedMessage message, PopMessageResponseHeader told, Dictionary<string, string> starts)
    {
        string id = Encoding.UTF8.GetString(message.Body.Span);
        Interlocked.Increment(ref _deliveries);
        if (message.ReconsumeTimes > 0)
        {
            Interlocked.Increment(ref _retries);
        }

        if (_acked.ContainsKey(id))
        {
            _problems.Enqueue($"again: {id} was acked and is handed out, {message.Topic} queue {message.QueueId} offset {message.QueueOffset}");
        }

        string handle = message.Properties.GetValueOrDefault("POP_CK")
            ?? string.Create(
                CultureInfo.InvariantCulture,
                $"{starts[$"0{message.QueueId}"]} {told.PopTimeMs} {told.InvisibleTimeMs} {told.ReviveQueueId} 0 {BrokerName} {message.QueueId} {message.QueueOffset}");
        return new Taken(id, handle.Split(' '));
    }

    private async Task AckAsync(RemotingClient client, string address, Taken message, CancellationToken cancel)
    {
        var header = new AckMessageHeader
        {
            ConsumerGroup = GroupUtf8,
            Topic = Encoding.UTF8.GetBytes(message.RealTopic),
            QueueId = message.QueueId,
            ExtraInfo = Encoding.UTF8.GetBytes(message.Handle),
            Offset = message.Offset,
        };
        _unknown[message.Id] = true;
        RemotingCommand answer = await client.InvokeAsync(address, RequestCode.AckMessage, header, default, CallTimeout, cancel);
        _unknown.TryRemove(message.Id, out _);
        if (answer.ResponseCode == ResponseCode.Success)
        {
            Acked(message);
        }
        else if (answer.ResponseCode != ResponseCode.NoMessage)
        {
            _problems.Enqueue($"ack of {message.Id}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    // One batch for each message: it says of each whether it was in time.
    private async Task AckManyAsync(RemotingClient client, string address, List<Taken> taken, CancellationToken cancel)
    {
        foreach (Taken message in taken)
        {
            long distance = message.Offset - message.StartOffset;
            var bits = new byte[(distance / 8) + 1];
            bits[distance / 8] = (byte)(1 << (int)(distance % 8));
            var body = new BatchAckMessageRequestBody
            {
                BrokerName = BrokerName,
                Acks =
                [
                    new BatchAck
                    {
                        ConsumerGroup = Group,
                        Topic = Topic,
                        Retry = message.Kind,
                        StartOffset = message.StartOffset,
                        QueueId = message.QueueId,
                        PopTimeMs = message.PopTimeMs,
                        InvisibleTimeMs = InvisibleMs,
                        Bits = bits,
                    },
                ],
            };
            _unknown[message.Id] = true;
            RemotingCommand answer = await client.InvokeAsync(
                address, RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(body), CallTimeout, cancel);
            _unknown.TryRemove(message.Id, out _);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                Acked(message);
            }
        }
    }

    private static async Task ChangeAsync(
        RemotingClient client, string address, Taken message, long invisibleMs, CancellationToken cancel) =>
        await client.InvokeAsync(
            address,
            RequestCode.ChangeMessageInvisibleTime,
            new ChangeInvisibleTimeHeader
            {
                ConsumerGroup = GroupUtf8,
                Topic = Encoding.UTF8.GetBytes(message.RealTopic),
                QueueId = message.QueueId,
                ExtraInfo = Encoding.UTF8.GetBytes(message.Handle),
                Offset = message.Offset,
                InvisibleTimeMs = invisibleMs,
            },
            default,
            CallTimeout,
            cancel);

    private void Acked(Taken message)
    {
        if (!_acked.TryAdd(message.Id, true))
        {
            _problems.Enqueue($"twice: {message.Id} was acked by two handles");
        }
    }

    /// <summary>A message in a consumer's hand, by the parts of its handle.</summary>
    private sealed record Taken(string Id, string[] Parts)
    {
        public string Handle => string.Join(' ', Parts);

        public long StartOffset => long.Parse(Parts[0], CultureInfo.InvariantCulture);

        public long PopTimeMs => long.Parse(Parts[1], CultureInfo.InvariantCulture);

        public string Kind => Parts[4];

        public int QueueId => int.Parse(Parts[6], CultureInfo.InvariantCulture);

        public long Offset => long.Parse(Parts[7], CultureInfo.InvariantCulture);

        public string RealTopic => Kind == "0" ? Topic : $"%RETRY%{Group}_{Topic}";
    }
}
