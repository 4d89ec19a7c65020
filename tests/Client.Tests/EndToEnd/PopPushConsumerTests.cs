using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class PopPushConsumerTests : IAsyncLifetime
{
    private const string Topic = "orders";
    private const string Group = "pop-push";

    private readonly ConcurrentQueue<ReceivedMessage> _handled = new();
    private readonly ConcurrentDictionary<int, int> _attempts = new();
    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a", "b");
        await _cluster.CreateTopicAsync(Topic, queues: 2);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = Eventually.Deadline });
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Consumers_MoreThanOne_HandleEachMessageOnce()
    {
        await using PopPushConsumer first = await StartAsync(Succeed);
        await using PopPushConsumer second = await StartAsync(Succeed);

        await SendAsync(0, 300);
        await HandledAsync(300);
        await first.StopAsync();
        await second.StopAsync();

        Assert.Equal(Enumerable.Range(0, 300), _handled.Select(Number).Order());
        await using PopConsumer check = await CheckAsync();
        Assert.Empty(await check.ReceiveAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task Handler_FailsAndThrows_MessagesComeAgainWithTheirCounts()
    {
        await using PopPushConsumer consumer = await StartAsync((message, _) =>
        {
            int attempt = Attempt(message);
            Assert.Equal(attempt - 1, message.ReconsumeTimes);
            return Number(message) switch
            {
                3 when attempt < 3 => new(ConsumeResult.RetryLater),
                5 when attempt < 2 => throw new InvalidOperationException("scripted"),
                7 when attempt < 2 => new(ConsumeResult.RetryAfter(TimeSpan.FromMilliseconds(50))),
                _ => Succeed(message, default),
            };
        });

        await SendAsync(0, 10);
        await HandledAsync(10);

        Assert.Equal(3, _attempts[3]);
        Assert.Equal(2, _attempts[5]);
        Assert.Equal(2, _attempts[7]);
        Assert.All(_attempts, attempt => Assert.True(attempt.Value == 1 || attempt.Key is 3 or 5 or 7));
    }

    [Fact]
    public async Task Handler_FailsTooOftenOrGivesUp_MessagesBecomeDeadLetters()
    {
        await using PopPushConsumer consumer = await StartAsync(
            (message, _) =>
            {
                Attempt(message);
                return Number(message) switch
                {
                    1 => new(ConsumeResult.RetryLater),
                    2 => new(ConsumeResult.DeadLetter),
                    _ => Succeed(message, default),
                };
            },
            options => options.MaxReconsumeTimes = 1);
        await SendAsync(0, 4);

        var dead = new ConcurrentQueue<ReceivedMessage>();
        await using var letters = new PushConsumer(
            new PushConsumerOptions
            {
                NameServers = _cluster.NameServers,
                Group = "undertaker",
                ConsumeFrom = ConsumeFrom.First,
                RebalanceInterval = TimeSpan.FromMilliseconds(100),
                RouteRefreshInterval = TimeSpan.FromMilliseconds(100),
                Subscriptions = { ["%DLQ%" + Group] = "*" },
            },
            (message, _) =>
            {
                dead.Enqueue(message);
                return new(ConsumeResult.Success);
            });
        await letters.StartAsync();
        await Eventually.TrueAsync(() => dead.Count >= 2, "two dead letters come");

        Assert.Equal([1, 2], dead.Select(Number).Order());
        Assert.Equal(2, _attempts[1]);
        Assert.Equal(1, _attempts[2]);
    }

    [Fact]
    public async Task Handler_TakesLongerThanTheInvisibleTime_TheMessageIsAckedByItsNewestHandle()
    {
        // The broker's time is the system's, of which the message has enough; the consumer's is the test's. How often it renews is held by
        // PopScriptedTests.
        TimeSpan invisible = TimeSpan.FromMinutes(5);
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PopPushConsumer consumer = await StartAsync(
            async (message, cancel) =>
            {
                Attempt(message);
                await mayEnd.Task.WaitAsync(cancel);
                return await Succeed(message, cancel);
            },
            options =>
            {
                options.InvisibleTime = invisible;
                options.ConsumeTimeout = TimeSpan.FromDays(1);
                options.RequestTimeout = TimeSpan.FromDays(1);
            },
            time);
        try
        {
            await SendAsync(0, 1);
            await Eventually.TrueAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromMilliseconds(100));
                    return !_attempts.IsEmpty;
                },
                "the message is being handled");
            for (int i = 0; i < 100; i++)
            {
                time.Advance(invisible / 8);
                await Task.Yield();
            }
        }
        finally
        {
            mayEnd.SetResult();
        }

        await HandledAsync(1);
        await consumer.StopAsync();

        // The broker takes an ack by the newest handle only.
        Assert.Equal(1, _attempts[0]);
        Assert.Equal(0, await CountInHandAsync());
    }

    [Fact]
    public async Task Handler_HangsInAConsumerThatRenewsNothing_TheOthersGoOn()
    {
        var hang = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PopPushConsumer hung = await StartAsync(
            async (message, cancel) =>
            {
                await hang.Task.WaitAsync(cancel);
                return ConsumeResult.Success;
            },
            options =>
            {
                options.InvisibleTime = TimeSpan.FromMilliseconds(500);
                options.RenewInvisibleTime = false;
                options.MaxInFlightMessages = 8;
                options.BatchSize = 8;
                options.ShutdownTimeout = TimeSpan.FromMilliseconds(1);
            });
        await SendAsync(0, 100);
        await using PopPushConsumer healthy = await StartAsync(Succeed);

        await HandledAsync(100);

        Assert.Equal(Enumerable.Range(0, 100), _handled.Select(Number).Distinct().Order());
    }

    [Fact]
    public async Task Orderly_TwoConsumersAndAFailure_EachQueueStaysInOrder()
    {
        ValueTask<ConsumeResult> Handle(ReceivedMessage message, CancellationToken cancel) =>
            Number(message) % 20 == 7 && Attempt(message) < 3
                ? new(ConsumeResult.RetryAfter(TimeSpan.FromMilliseconds(50)))
                : Succeed(message, cancel);

        static void Orderly(PopPushConsumerOptions options)
        {
            options.Orderly = true;
            options.InvisibleTime = TimeSpan.FromSeconds(10);
        }

        for (int i = 0; i < 100; i++)
        {
            await _producer.SendAsync(New(i, $"key {i % 6}"));
        }

        await using PopPushConsumer first = await StartAsync(Handle, Orderly);
        await using PopPushConsumer second = await StartAsync(Handle, Orderly);
        await HandledAsync(100);

        Assert.Equal(100, _handled.Count);
        Assert.All(_attempts, attempt => Assert.Equal(3, attempt.Value));
        foreach (IGrouping<string, ReceivedMessage> key in
            _handled.GroupBy(message => message.Properties[MessageProperty.ShardingKey]))
        {
            Assert.Equal(key.Select(Number).Order(), key.Select(Number));
        }
    }

    [Fact]
    public async Task StopAsync_HandlerAtWorkAndOthersWaiting_WaitsAndHandsTheRestBack()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        PopPushConsumer consumer = await StartAsync(
            async (message, cancel) =>
            {
                begun.TrySetResult();
                Attempt(message);
                await new TaskCompletionSource().Task.WaitAsync(cancel);
                return ConsumeResult.Success;
            },
            options =>
            {
                options.MaxConcurrency = 1;
                options.InvisibleTime = TimeSpan.FromMinutes(5);
                options.ShutdownTimeout = TimeSpan.FromMilliseconds(50);
            });
        await SendAsync(0, 20);
        await begun.Task.WaitAsync(Eventually.Deadline);

        await consumer.DisposeAsync();

        Assert.Single(_attempts);
        await using PopPushConsumer other = await StartAsync(Succeed);
        await HandledAsync(20);
        Assert.Equal(Enumerable.Range(0, 20), _handled.Select(Number).Order());
    }

    private static int Number(ReceivedMessage message) =>
        int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture);

    private static Message New(int number, string? key = null) =>
        new(Topic, Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture))) { ShardingKey = key };

    private ValueTask<ConsumeResult> Succeed(ReceivedMessage message, CancellationToken cancel)
    {
        _handled.Enqueue(message);
        return new(ConsumeResult.Success);
    }

    private int Attempt(ReceivedMessage message) => _attempts.AddOrUpdate(Number(message), 1, (_, count) => count + 1);

    private Task HandledAsync(int count) =>
        Eventually.TrueAsync(() => _handled.Select(Number).Distinct().Count() >= count, $"{count} messages are handled");

    private async Task SendAsync(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            await _producer.SendAsync(New(i));
        }
    }

    // At all brokers.
    private async Task<long> CountInHandAsync()
    {
        await using var admin = new AdminClient(new AdminOptions { NameServers = _cluster.NameServers });
        long count = 0;
        foreach (string address in _cluster.BrokerAddresses)
        {
            count += (await admin.GetLifecycleAsync(address)).PopsInFlight;
        }

        return count;
    }

    private async Task<PopPushConsumer> StartAsync(
        Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handler,
        Action<PopPushConsumerOptions>? configure = null,
        TimeProvider? time = null)
    {
        var options = new PopPushConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = Group,
            ConsumeFrom = ConsumeFrom.First,
            RetryPolicy = RetryPolicy.Fixed(TimeSpan.FromMilliseconds(100)),
            Subscriptions = { [Topic] = "*" },
        };
        configure?.Invoke(options);
        var consumer = new PopPushConsumer(options, handler, new TestLoggers(), time);
        await consumer.StartAsync();
        return consumer;
    }

    private async Task<PopConsumer> CheckAsync()
    {
        var consumer = new PopConsumer(new PopConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = Group,
            ConsumeFrom = ConsumeFrom.First,
            Subscriptions = { [Topic] = "*" },
        });
        await consumer.StartAsync();
        return consumer;
    }
}
