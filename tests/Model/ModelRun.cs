using System.Diagnostics;
using System.Globalization;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Testing;

namespace GrayMQ.Model;

/// <summary>
/// Asks a broker for random things, one after the other, ends it now and then in the ordinary way or by kill -9, between requests or in
/// the middle of one, and compares all that it answers with a simple model: nothing that was acknowledged is lost, nothing that was acked
/// comes again, nothing in hand is given to somebody else, order is kept, attempts are counted, and delays are waited for.
/// At the end everything has to be delivered.
/// </summary>
/// <remarks>
/// The seed makes the same choices again, as far as the broker, whose clock is the real one, answers the same. The one thing that the
/// model cannot know is what a request did that was not answered: then it allows both.
/// </remarks>
internal sealed class ModelRun
{
    private const string BrokerName = "model";
    private const string FreeTopic = "Free";
    private const string OrderedTopic = "Ordered";
    private const int FreeQueues = 4;
    private const int OrderedQueues = 2;
    private const int TraceLength = 40;

    // RocketMQ: messageDelayLevel.
    private const string DelayLevels = "1s 1s 2s 3s";
    private static readonly int[] DelayLevelsMs = [1_000, 1_000, 2_000, 3_000];

    private readonly ModelOptions _options;
    private readonly Random _random;
    private readonly SentMessages _sent = new();
    private readonly PopGroup _pops;
    private readonly PullGroup _pulls;
    private readonly OrderedGroup _ordered;
    private readonly Transactions _transactions;
    private readonly (int Weight, string Name, Func<BrokerClient, Task> Run)[] _steps;
    private readonly Journal _trace = new(TraceLength);
    private int _step;
    private int _kills;
    private int _stops;

    public ModelRun(ModelOptions options)
    {
        _options = options;
        _random = new Random(options.Seed);
        _pops = new PopGroup("poppers", FreeTopic, FreeQueues, BrokerName, _sent, _random);
        _pulls = new PullGroup("pullers", FreeTopic, FreeQueues, DelayLevelsMs, _sent, _random);
        _ordered = new OrderedGroup("in-order", OrderedTopic, OrderedQueues, BrokerName, _sent, _random);
        _transactions = new Transactions(FreeTopic, FreeQueues, _sent, _random);
        _steps =
        [
            (16, "send", client => SendAsync(client, FreeTopic, FreeQueues, delays: true)),
            (6, "send in order", client => SendAsync(client, OrderedTopic, OrderedQueues, delays: false)),
            (8, "pop", _pops.PopAsync),
            (8, "ack", _pops.AckAsync),
            (1, "ack many", client => _pops.AckManyAsync(client, _random.Next(1, 10))),
            (5, "change", _pops.ChangeInvisibleAsync),
            (3, "misuse", _pops.MisuseAsync),
            (1, "read dead letters", _pops.ReadDeadLettersAsync),
            (6, "pull", _pulls.PullAsync),
            (3, "commit", _pulls.CommitAsync),
            (4, "send back", _pulls.SendBackAsync),
            (3, "pull retries", _pulls.PullRetriesAsync),
            (1, "pull dead letters", _pulls.PullDeadLettersAsync),
            (5, "pop in order", _ordered.PopAsync),
            (6, "ack in order", _ordered.AckAsync),
            (2, "change in order", _ordered.ChangeInvisibleAsync),
            (3, "begin", _transactions.BeginAsync),
            (4, "end", _transactions.EndAsync),
        ];
    }

    /// <summary>Runs to the end; true when the broker did what the model says.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        string store = _options.StoreDirectory ?? Directory.CreateTempSubdirectory("graymq-model-").FullName;
        Console.WriteLine(_options.Steps is { } steps
            ? $"{steps} steps, {_options.FlushDiskType}, seed {_options.Seed}"
            : $"{_options.Duration}, {_options.FlushDiskType}, seed {_options.Seed}");
        await using var server = new ServerUnderTest(
            _options.Command,
            store,
            _options.StartLimit,
            $"broker.brokerName={BrokerName}",
            $"broker.messageDelayLevel={DelayLevels}",
            $"broker.flushDiskType={_options.FlushDiskType}",
            "broker.mappedFileSizeCommitLog=16777216");
        long started = Stopwatch.GetTimestamp();
        try
        {
            await PlayAsync(server, cancel);
            await DrainAsync(server, cancel);
        }
        catch (Exception e) when (e is Violation or TimeoutException or InvalidOperationException)
        {
            Console.Error.WriteLine($"seed {_options.Seed}, step {_step}: {e.Message}");
            Console.Error.WriteLine($"the last steps: {_trace}");
            Console.Error.WriteLine($"the store is left in {store}; the server's log since its last start:\n{server.Log}");
            return false;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_step} steps in {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s with {_stops} stops and {_kills} kills (seed {_options.Seed}): ")
            + $"{_sent.Count} sent; {_pops.Deliveries} popped, {_pops.Acked} acked, {_pops.Dead} dead letters; "
            + $"{_pulls.Pulled} pulled, {_pulls.Retried} retried, {_pulls.DeadLetters} dead letters; "
            + $"{_ordered.Deliveries} popped in order, {_ordered.Acked} acked; "
            + $"{_transactions.Committed} transactions committed, {_transactions.RolledBack} rolled back; nothing wrong");
        if (_options.StoreDirectory is null)
        {
            Directory.Delete(store, recursive: true);
        }

        return true;
    }

    private async Task PlayAsync(ServerUnderTest server, CancellationToken cancel)
    {
        long started = Stopwatch.GetTimestamp();
        bool isFirst = true;
        while (!IsOver(started))
        {
            await server.StartAsync(cancel);
            await using var client = new BrokerClient(server.BrokerAddress);
            if (isFirst)
            {
                await CreateAsync(client);
                isFirst = false;
            }

            await _pulls.CheckCommitsAsync(client);
            for (int left = _random.Next(1, 2 * _options.StepsBetweenRestarts); left > 0 && !IsOver(started); left--)
            {
                cancel.ThrowIfCancellationRequested();
                await StepAsync(client, Choose());
                CheckAnswered(client);
            }

            await EndAsync(server, client, cancel);
        }
    }

    private bool IsOver(long started) =>
        _options.Steps is { } steps ? _step >= steps : Stopwatch.GetElapsedTime(started) >= _options.Duration;

    // An ordinary end, a kill between two requests, or one in the middle of a request.
    private async Task EndAsync(ServerUnderTest server, BrokerClient client, CancellationToken cancel)
    {
        const int MaxMicroseconds = 3_000;
        switch (_random.Next(3))
        {
            case 0:
                _trace.Add("STOP");
                _stops++;
                await server.StopAsync(cancel);
                return;
            case 1:
                _trace.Add("KILL");
                _kills++;
                await server.KillAsync();
                return;
            default:
                var moment = TimeSpan.FromMicroseconds(_random.Next(MaxMicroseconds));
                Task last = StepAsync(client, Choose());
                _trace.Add("KILL");
                _kills++;
                long from = Stopwatch.GetTimestamp();
                SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(from) >= moment);
                await server.KillAsync();
                await last;
                return;
        }
    }

    private async Task StepAsync(BrokerClient client, (int Weight, string Name, Func<BrokerClient, Task> Run) step)
    {
        _step++;
        _trace.Add(step.Name);
        await step.Run(client);
    }

    private (int Weight, string Name, Func<BrokerClient, Task> Run) Choose()
    {
        int at = _random.Next(_steps.Sum(step => step.Weight));
        foreach ((int Weight, string Name, Func<BrokerClient, Task> Run) step in _steps)
        {
            at -= step.Weight;
            if (at < 0)
            {
                return step;
            }
        }

        throw new UnreachableException();
    }

    private async Task SendAsync(BrokerClient client, string topic, int queues, bool delays)
    {
        const int MaxDelayMs = 3_000;
        long now = BrokerClient.NowMs;
        (int delayMs, string property) = delays && _random.Next(5) == 0
            ? _random.Next(2) == 0
                ? (DelayLevelsMs[1], "DELAY\u00012\u0002")
                : (_random.Next(1, MaxDelayMs), "")
            : (0, "");
        if (delayMs > 0 && property.Length == 0)
        {
            property = string.Create(CultureInfo.InvariantCulture, $"TIMER_DELAY_MS\u0001{delayMs}\u0002");
        }

        SentMessage message = _sent.Add(topic, delayMs == 0 ? 0 : now + delayMs);
        RemotingCommand? answer = await client.AskAsync(
            RequestCode.SendMessageV2,
            new SendMessageHeader
            {
                ProducerGroup = "producers"u8.ToArray(),
                Topic = Text.Utf8(topic),
                DefaultTopic = "TBW102"u8.ToArray(),
                DefaultTopicQueueNums = queues,
                QueueId = _random.Next(queues),
                BornTimestampMs = now,
                Properties = Text.Utf8(property),
            },
            SentMessages.Body(message.Id));
        Violation.Unless(
            answer is null || answer.ResponseCode == ResponseCode.Success, $"send: {answer?.ResponseCode} {answer?.Remark}");
        message.IsStored |= answer is not null;
    }

    private async Task CreateAsync(BrokerClient client)
    {
        RemotingCommand?[] answers =
        [
            await CreateTopicAsync(client, FreeTopic, FreeQueues),
            await CreateTopicAsync(client, OrderedTopic, OrderedQueues),
            await _pops.CreateAsync(client),
            await _ordered.CreateAsync(client),
            await _pulls.CreateAsync(client),
        ];
        Violation.Unless(
            answers.All(answer => answer?.ResponseCode == ResponseCode.Success), "topics and groups cannot be created");
    }

    private static Task<RemotingCommand?> CreateTopicAsync(BrokerClient client, string topic, int queues) =>
        client.AskAsync(
            RequestCode.UpdateAndCreateTopic,
            new CreateTopicHeader { Topic = topic, ReadQueueNums = queues, WriteQueueNums = queues, Permission = 6 });

    /// <summary>Asks for everything that is still to come, and then waits whether more comes than should.</summary>
    private async Task DrainAsync(ServerUnderTest server, CancellationToken cancel)
    {
        const int InvisibleMs = 30_000;
        _trace.Add("DRAIN");
        await server.StartAsync(cancel);
        await using var client = new BrokerClient(server.BrokerAddress);
        await _pulls.CheckCommitsAsync(client);
        long started = Stopwatch.GetTimestamp();
        TimeSpan quiet = TimeSpan.FromMilliseconds(Math.Max(PopGroup.MaxInvisibleMs, OrderedGroup.MaxInvisibleMs) + DelayLevelsMs[^1]);
        long settled = 0;
        while (settled == 0 || Stopwatch.GetElapsedTime(settled) < quiet)
        {
            cancel.ThrowIfCancellationRequested();
            await _pops.PopAsync(client, PopMessageHeader.AnyQueue, 32, InvisibleMs);
            while (await _pops.AckManyAsync(client, 1_000) > 0)
            {
            }

            await _pops.ReadDeadLettersAsync(client);
            await _ordered.PopAsync(client);
            for (int i = 0; i < 16; i++)
            {
                await _ordered.AckAsync(client);
            }

            for (int queueId = 0; queueId < FreeQueues; queueId++)
            {
                await _pulls.PullAsync(client, queueId);
            }

            await _pulls.PullRetriesAsync(client);
            await _pulls.PullDeadLettersAsync(client);
            await _transactions.EndAsync(client);
            CheckAnswered(client);

            bool isSettled = _pops.Unsettled == 0 && _ordered.Unsettled == 0 && _pulls.Outstanding == 0 && _transactions.Open == 0;
            settled = !isSettled ? 0 : settled == 0 ? Stopwatch.GetTimestamp() : settled;
            Violation.Unless(
                isSettled || Stopwatch.GetElapsedTime(started) < _options.DrainLimit,
                $"after {_options.DrainLimit.TotalSeconds:F0} s of asking there are still missing: {_pops.Unsettled} popped ({_pops.DescribeUnsettled()}), "
                + $"{_ordered.Unsettled} in order ({_ordered.DescribeUnsettled()}), {_pulls.Outstanding} pulled ({_pulls.DescribeOutstanding()})");
        }

        await server.StopAsync(cancel);
    }

    private static void CheckAnswered(BrokerClient client) =>
        Violation.Unless(client.LostCount == 0, $"a request was not answered though nobody had ended the server: {client.LostReason}");
}
