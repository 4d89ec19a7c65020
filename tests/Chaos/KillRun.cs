using System.Diagnostics;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos;

/// <summary>
/// Producers and a consumer keep a server busy while it is killed and started again. At the end everything is read back: each
/// acknowledged message has to be where the acknowledgement said, whole, and no committed offset may have gone back.
/// </summary>
internal sealed class KillRun(KillOptions options)
{
    private const string Topic = "Chaos";
    private const int PullBatch = 32;

    private static readonly byte[] TopicUtf8 = Encoding.UTF8.GetBytes(Topic);
    private static readonly byte[] GroupUtf8 = "chaos-consumer"u8.ToArray();
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly Ledger _ledger = new();
    private readonly DelayedLoad _delayed = new(options.Seed);
    private readonly long[] _numbers = new long[options.Producers];
    private readonly long[] _committed = new long[options.Queues];
    private readonly List<string> _problems = [];
    private long _consumed;
    private long _failedSends;

    /// <summary>Runs all rounds; true when nothing was wrong.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        string store = options.StoreDirectory ?? Directory.CreateTempSubdirectory("graymq-chaos-").FullName;
        var random = new Random(options.Seed);
        Console.WriteLine($"{options.Rounds} kills, {options.FlushDiskType}, seed {options.Seed}");
        await using var server = new ServerUnderTest(options.Command, store, options.StartLimit, options.ServerSettings);
        TimeSpan slowestStart = TimeSpan.Zero;
        for (int round = 1; round <= options.Rounds; round++)
        {
            TimeSpan start = await server.StartAsync(cancel);
            slowestStart = start > slowestStart ? start : slowestStart;
            await CheckOffsetsAsync(server.BrokerAddress, round, cancel);
            await LoadUntilKilledAsync(server, random.NextDouble() * options.MaxLife, cancel);
            Console.WriteLine($"kill {round}: started in {start.TotalMilliseconds:F0} ms, {_ledger.Count} acknowledged, {_consumed} consumed");
        }

        await server.StartAsync(cancel);
        await CheckOffsetsAsync(server.BrokerAddress, options.Rounds + 1, cancel);
        int acknowledged = _ledger.Count;
        long stored = await CheckAllAsync(server.BrokerAddress, cancel);
        await using (RemotingClient client = NewClient())
        {
            _problems.AddRange(await _delayed.CheckAsync(client, server.BrokerAddress, cancel));
        }

        await server.KillAsync();
        _problems.AddRange(_ledger.Missing());
        foreach (string problem in _problems)
        {
            Console.WriteLine(problem);
        }

        Console.WriteLine(
            $"{options.Rounds} kills, {options.FlushDiskType}: {acknowledged} acknowledged, {stored} stored, {_delayed.Count} delayed, {_failedSends} sends failed, "
            + $"slowest start {slowestStart.TotalMilliseconds:F0} ms, {_problems.Count} problems");
        if (_problems.Count == 0 && options.StoreDirectory is null)
        {
            Directory.Delete(store, recursive: true);
        }
        else if (_problems.Count > 0)
        {
            Console.WriteLine($"the store is left in {store}");
        }

        return _problems.Count == 0 && acknowledged > 0;
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private async Task LoadUntilKilledAsync(ServerUnderTest server, TimeSpan life, CancellationToken cancel)
    {
        using var killed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using RemotingClient client = NewClient();
        List<Task> load = [.. Enumerable.Range(0, options.Producers).Select(producer => ProduceAsync(client, server.BrokerAddress, producer, killed.Token))];
        load.Add(_delayed.ProduceAsync(client, server.BrokerAddress, killed.Token));
        load.Add(ConsumeAsync(client, server.BrokerAddress, killed.Token));
        await Task.Delay(life, cancel);
        await server.KillAsync();
        await killed.CancelAsync();
        await Task.WhenAll(load);
    }

    private async Task ProduceAsync(RemotingClient client, string address, int producer, CancellationToken killed)
    {
        while (!killed.IsCancellationRequested)
        {
            long number = _numbers[producer]++;
            byte[] body = Ledger.Body(producer, number);
            SendMessageHeader header = StockSend.Header("chaos", Topic, options.Queues, (int)(number % options.Queues)) with
            {
                Properties = Encoding.UTF8.GetBytes($"KEYS\u0001{producer}-{number}\u0002"),
            };
            try
            {
                RemotingCommand answer = await client.InvokeAsync(
                    address, RequestCode.SendMessageV2, header, body, CallTimeout, killed);
                if (answer.ResponseCode != ResponseCode.Success)
                {
                    Interlocked.Increment(ref _failedSends);
                    Report($"refused: {answer.ResponseCode} {answer.Remark}");
                    continue;
                }

                SendMessageResponseHeader place = SendMessageResponseHeader.Read(answer.Fields);
                if (!_ledger.Acknowledge(place.QueueId, place.QueueOffset, producer, number))
                {
                    Report($"two messages were acknowledged at queue {place.QueueId} offset {place.QueueOffset}");
                }
            }
            catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
            {
                // Killed: nobody knows of this message, and it may or may not be there.
                Interlocked.Increment(ref _failedSends);
                return;
            }
        }
    }

    private async Task ConsumeAsync(RemotingClient client, string address, CancellationToken killed)
    {
        try
        {
            while (true)
            {
                bool any = false;
                for (int queue = 0; queue < options.Queues; queue++)
                {
                    (List<ReceivedMessage> messages, long next) = await PullAsync(client, address, queue, _committed[queue], killed);
                    if (messages.Count == 0)
                    {
                        continue;
                    }

                    any = true;
                    _consumed += messages.Count;
                    RemotingCommand answer = await client.InvokeAsync(
                        address,
                        RequestCode.UpdateConsumerOffset,
                        new UpdateConsumerOffsetHeader { ConsumerGroup = GroupUtf8, Topic = TopicUtf8, QueueId = queue, CommitOffset = next },
                        default,
                        CallTimeout,
                        killed);
                    if (answer.ResponseCode == ResponseCode.Success)
                    {
                        _committed[queue] = next;
                    }
                }

                if (!any)
                {
                    await Task.Delay(Pause, killed);
                }
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed.
        }
    }

    // A commit that was answered is not forgotten by a kill.
    private async Task CheckOffsetsAsync(string address, int round, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        for (int queue = 0; queue < options.Queues; queue++)
        {
            if (_committed[queue] == 0)
            {
                continue;
            }

            RemotingCommand answer = await client.InvokeAsync(
                address,
                RequestCode.QueryConsumerOffset,
                new QueryConsumerOffsetHeader { ConsumerGroup = GroupUtf8, Topic = TopicUtf8, QueueId = queue },
                default,
                CallTimeout,
                cancel);
            long offset = answer.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(answer.Fields).Offset : -1;
            if (offset < _committed[queue])
            {
                Report($"round {round}: the offset of queue {queue} went back from {_committed[queue]} to {offset}");
            }

            _committed[queue] = Math.Max(offset, _committed[queue]);
        }
    }

    private async Task<long> CheckAllAsync(string address, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        long stored = 0;
        for (int queue = 0; queue < options.Queues; queue++)
        {
            RemotingCommand answer = await client.InvokeAsync(
                address, RequestCode.GetMaxOffset, new QueueHeader(Topic, queue), default, CallTimeout, cancel);
            long end = OffsetResponseHeader.Read(answer.Fields).Offset;
            long waited = Stopwatch.GetTimestamp();
            for (long offset = 0; offset < end;)
            {
                (List<ReceivedMessage> messages, long next) = await PullAsync(client, address, queue, offset, cancel);
                foreach (ReceivedMessage message in messages)
                {
                    stored++;
                    if (_ledger.Check(queue, message.QueueOffset, message.Body.Span) is { } problem)
                    {
                        Report(problem);
                    }
                }

                if (next <= offset && Stopwatch.GetElapsedTime(waited) > CallTimeout)
                {
                    Report($"queue {queue} ends at {end} but nothing is read at {offset}");
                    break;
                }

                waited = next > offset ? Stopwatch.GetTimestamp() : waited;
                offset = next;
            }
        }

        return stored;
    }

    private static async Task<(List<ReceivedMessage> Messages, long Next)> PullAsync(
        RemotingClient client, string address, int queue, long offset, CancellationToken cancel)
    {
        var header = new PullMessageHeader
        {
            ConsumerGroup = GroupUtf8,
            Topic = TopicUtf8,
            QueueId = queue,
            QueueOffset = offset,
            MaxMessages = PullBatch,
            SysFlag = PullSysFlag.Subscription,
            Subscription = "*"u8.ToArray(),
        };
        RemotingCommand answer = await client.InvokeAsync(address, RequestCode.PullMessage, header, default, CallTimeout, cancel);
        switch (answer.ResponseCode)
        {
            case ResponseCode.Success:
                List<ReceivedMessage> messages = MessageDecoder.DecodeAll(answer.Body.FirstSpan);
                return (messages, PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset);
            case ResponseCode.PullOffsetMoved:
                return ([], PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset);
            default:
                return ([], offset);
        }
    }

    private void Report(string problem)
    {
        lock (_problems)
        {
            _problems.Add(problem);
        }
    }
}
