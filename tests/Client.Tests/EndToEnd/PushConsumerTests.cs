using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class PushConsumerTests : IAsyncLifetime
{
    private const string Topic = "orders";

    private readonly ConcurrentQueue<ReceivedMessage> _received = new();
    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a", "b");
        await _cluster.CreateTopicAsync(Topic, queues: 4);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = TimeSpan.FromSeconds(10) });
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Consumer_FromFirst_ReceivesEverythingAsItWasSent()
    {
        SendResult sent = await _producer.SendAsync(new Message(Topic, "one"u8.ToArray())
        {
            Tag = "new",
            Keys = ["k1", "k2"],
            Flag = 3,
            Properties = { ["color"] = "grün" },
        });
        await using PushConsumer consumer = await StartAsync();

        await ReceivedAsync(1);

        ReceivedMessage message = _received.Single();
        Assert.Equal("one", Text(message));
        Assert.Equal(Topic, message.Topic);
        Assert.Equal(sent.MessageId, message.MessageId);
        Assert.Equal(sent.OffsetMessageId, message.OffsetMessageId);
        Assert.Equal(sent.Queue, new MessageQueue(message.Topic, message.BrokerName!, message.QueueId));
        Assert.Equal(sent.QueueOffset, message.QueueOffset);
        Assert.Equal("new", message.Tags);
        Assert.Equal("k1 k2", message.Keys);
        Assert.Equal(3, message.Flag);
        Assert.Equal("grün", message.Properties["color"]);
        Assert.Equal(0, message.ReconsumeTimes);
    }

    [Fact]
    public async Task Consumer_MessagesOfABatch_HaveTheIdsThatTheSenderWasTold()
    {
        SendResult sent = await _producer.SendBatchAsync(
            [new Message(Topic, "one"u8.ToArray()) { Tag = "x" }, new Message(Topic, "two"u8.ToArray()) { Keys = ["k"] }]);
        await using PushConsumer consumer = await StartAsync();

        await ReceivedAsync(2);

        ReceivedMessage[] messages = [.. _received.OrderBy(message => message.QueueOffset)];
        Assert.Equal(["one", "two"], messages.Select(Text));
        Assert.Equal(sent.MessageId.Split(','), messages.Select(message => message.MessageId));
        Assert.Equal(sent.OffsetMessageId.Split(','), messages.Select(message => message.OffsetMessageId));
        Assert.Equal(["x", null], messages.Select(message => message.Tags));
        Assert.Equal([null, "k"], messages.Select(message => message.Keys));
    }

    [Fact]
    public async Task Consumer_LargeBody_IsHandedOutUncompressed()
    {
        byte[] body = Encoding.UTF8.GetBytes(new string('x', 100_000));
        await _producer.SendAsync(new Message(Topic, body));
        await using PushConsumer consumer = await StartAsync();

        await ReceivedAsync(1);

        Assert.Equal(body, _received.Single().Body.ToArray());
    }

    [Fact]
    public async Task Consumer_WithTags_ReceivesOnlyThese()
    {
        await SendAsync(10, i => i % 2 == 0 ? "even" : "odd");
        await using PushConsumer consumer = await StartAsync(options => options.Subscriptions[Topic] = "even || never");
        await ReceivedAsync(5);
        await SendAsync(10, i => i % 2 == 0 ? "even" : "odd");

        await ReceivedAsync(10);

        Assert.All(_received, message => Assert.Equal("even", message.Tags));
    }

    [Fact]
    public async Task Consumer_TopicThatComesLater_IsConsumedThen()
    {
        const string Later = "later";
        await using PushConsumer consumer = await StartAsync(options => options.Subscriptions[Later] = "*");
        await Eventually.TrueAsync(() => QueuesOf(consumer) == 8, "the topic that is there is consumed");

        for (int i = 0; i < 20; i++)
        {
            await _producer.SendAsync(new Message(Later, "x"u8.ToArray()));
        }

        await ReceivedAsync(20);
    }

    [Fact]
    public async Task Consumer_Batches_AreOfOneQueueAndInItsOrder()
    {
        await SendAsync(100);
        var handler = new BatchHandler(_received);
        await using var consumer = new PushConsumer(Options(options => options.ConsumeBatchSize = 7), handler);
        await consumer.StartAsync();

        await ReceivedAsync(100);

        Assert.All(handler.Batches, batch =>
        {
            Assert.InRange(batch.Count, 1, 7);
            Assert.Single(batch.Select(message => (message.BrokerName, message.QueueId)).Distinct());
            Assert.Equal(batch.Select(message => message.QueueOffset).Order(), batch.Select(message => message.QueueOffset));
        });
        Assert.Contains(handler.Batches, batch => batch.Count > 1);
    }

    [Fact]
    public async Task TwoConsumers_ShareTheQueues_AndOneTakesOverWhenTheOtherStops()
    {
        await SendAsync(1);
        var counts = new ConcurrentDictionary<string, int>();
        ValueTask<ConsumeResult> Handle(string name, ReceivedMessage message)
        {
            counts.AddOrUpdate(name, 1, (_, count) => count + 1);
            _received.Enqueue(message);
            return new(ConsumeResult.Success);
        }

        await using var first = new PushConsumer(Options(), (message, _) => Handle("first", message));
        await using var second = new PushConsumer(Options(), (message, _) => Handle("second", message));
        await first.StartAsync();
        await second.StartAsync();
        await Eventually.TrueAsync(
            () => QueuesOf(first) == 4 && QueuesOf(second) == 4 && !first.Queues.Intersect(second.Queues).Any(),
            "the queues are shared");
        await SendAsync(80);
        await Eventually.TrueAsync(() => Distinct() == 81, "all arrived");
        Assert.True(counts["first"] > 0 && counts["second"] > 0);

        await second.StopAsync();
        await SendAsync(80);

        await Eventually.TrueAsync(() => QueuesOf(first) == 8 && Distinct() == 161, "the first has all");
    }

    [Fact]
    public async Task Consumer_StartedAgain_GoesOnWhereItStopped()
    {
        await SendAsync(50);
        await using (PushConsumer consumer = await StartAsync())
        {
            await ReceivedAsync(50);
        }

        await SendAsync(30);
        await using PushConsumer again = await StartAsync();
        await ReceivedAsync(80);
        await again.StopAsync();

        Assert.Equal(80, _received.Count);
        Assert.Equal(80, Distinct());
    }

    [Fact]
    public async Task Consumer_HandlerFails_GetsTheMessageAgain()
    {
        await SendAsync(3);
        await using var consumer = new PushConsumer(
            Options(options => options.RetryPolicy = RetryPolicy.Fixed(TimeSpan.FromSeconds(1))),
            (message, _) =>
            {
                _received.Enqueue(message);
                return message.ReconsumeTimes switch
                {
                    0 => throw new InvalidOperationException("first attempt"),
                    1 => new(ConsumeResult.RetryLater),
                    _ => new(ConsumeResult.Success),
                };
            });
        await consumer.StartAsync();

        await ReceivedAsync(9);

        Assert.All(
            _received.GroupBy(message => message.MessageId),
            attempts => Assert.Equal([0, 1, 2], attempts.Select(message => message.ReconsumeTimes)));
        Assert.All(_received, message => Assert.Equal(Topic, message.Topic));
    }

    [Fact]
    public async Task Consumer_HandlerFailsTooOften_TheMessageIsADeadLetter()
    {
        await SendAsync(1);
        await using var consumer = new PushConsumer(
            Options(options =>
            {
                options.RetryPolicy = RetryPolicy.Fixed(TimeSpan.FromSeconds(1));
                options.MaxReconsumeTimes = 1;
            }),
            (message, _) =>
            {
                _received.Enqueue(message);
                return new(ConsumeResult.RetryLater);
            });
        await consumer.StartAsync();
        await ReceivedAsync(2);

        var dead = new ConcurrentQueue<ReceivedMessage>();
        await using var undertaker = new PushConsumer(
            Options(options =>
            {
                options.Group = "undertakers";
                options.Subscriptions.Clear();
                options.Subscriptions["%DLQ%cg"] = "*";
            }),
            (message, _) =>
            {
                dead.Enqueue(message);
                return new(ConsumeResult.Success);
            });
        await undertaker.StartAsync();
        await Eventually.TrueAsync(() => dead.Count == 1, "the dead letter is there");

        ReceivedMessage letter = Assert.Single(dead);
        Assert.Equal(2, letter.ReconsumeTimes);
        Assert.Equal(_received.First().MessageId, letter.MessageId);
        Assert.Equal(2, _received.Count);
    }

    [Fact]
    public async Task Consumer_StopsWhileAHandlerIsAtWork_LetsItEndAndCommits()
    {
        await SendAsync(1);
        var begun = new TaskCompletionSource();
        var end = new TaskCompletionSource();
        await using var consumer = new PushConsumer(Options(), async (message, cancel) =>
        {
            begun.TrySetResult();
            await end.Task.WaitAsync(cancel);
            _received.Enqueue(message);
            return ConsumeResult.Success;
        });
        await consumer.StartAsync();
        await begun.Task.WaitAsync(Eventually.Deadline);

        Task stopping = consumer.StopAsync();
        Assert.False(stopping.IsCompleted);
        end.SetResult();
        await stopping.WaitAsync(Eventually.Deadline);

        Assert.Single(_received);
        await using PushConsumer again = await StartAsync();
        await Eventually.TrueAsync(() => QueuesOf(again) == 8, "all queues are worked on");
        await SendAsync(8);
        await ReceivedAsync(9);
        Assert.Equal(9, Distinct());
    }

    [Fact]
    public async Task Consumer_HandlerOutlivesTheShutdownTimeout_IsCancelledAndItsMessageComesAgain()
    {
        await SendAsync(1);
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using var consumer = new PushConsumer(
            Options(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)),
            async (_, cancel) =>
            {
                begun.TrySetResult();
                await using CancellationTokenRegistration registration = cancel.Register(cancelled.SetResult);
                await cancelled.Task;
                throw new OperationCanceledException(cancel);
            });
        await consumer.StartAsync();
        await begun.Task.WaitAsync(Eventually.Deadline);

        await consumer.StopAsync().WaitAsync(Eventually.Deadline);

        await cancelled.Task.WaitAsync(Eventually.Deadline);
        await using PushConsumer again = await StartAsync();
        await ReceivedAsync(1);
    }

    [Fact]
    public async Task Broadcasting_EachConsumerReceivesAll_AndGoesOnWhereItStopped()
    {
        await SendAsync(16);
        PushConsumer[] consumers =
        [
            await StartAsync(options => Broadcast(options, "one")),
            await StartAsync(options => Broadcast(options, "two")),
        ];
        await ReceivedAsync(32);
        foreach (PushConsumer consumer in consumers)
        {
            await consumer.DisposeAsync();
        }

        Assert.Equal(16, Distinct());
        string[] files = Directory.GetFiles(_cluster.Folder, "offsets.json", SearchOption.AllDirectories);
        Assert.Equal(2, files.Length);
        await SendAsync(16, _ => "later");

        await using PushConsumer again = await StartAsync(options => Broadcast(options, "one"));

        await ReceivedAsync(48);
        Assert.Equal(16, _received.Count(message => message.Tags == "later"));
    }

    [Fact]
    public async Task Consumer_BrokerIsStartedAgain_GoesOn()
    {
        await SendAsync(16);
        await using PushConsumer consumer = await StartAsync(options =>
        {
            options.PullErrorDelay = TimeSpan.FromMilliseconds(200);
            options.HeartbeatInterval = TimeSpan.FromMilliseconds(200);
        });
        await ReceivedAsync(16);

        await _cluster.StopBrokerAsync("a");
        await _cluster.StartBrokerAsync("a");
        for (int i = 0; i < 16; i++)
        {
            await _producer.SendAsync(
                new Message(Topic, Encoding.UTF8.GetBytes($"again {i}")),
                (queues, _) => queues[i % queues.Count]);
        }

        await ReceivedAsync(32);
        Assert.Equal(32, Distinct());
    }

    [Fact]
    public async Task Unsubscribe_EndsConsumption()
    {
        await SendAsync(8);
        await using PushConsumer consumer = await StartAsync();
        await ReceivedAsync(8);

        consumer.Unsubscribe(Topic);

        await Eventually.TrueAsync(() => QueuesOf(consumer) == 0, "no queue of the topic is worked on");
        consumer.Subscribe(Topic, "x");
        await Eventually.TrueAsync(() => QueuesOf(consumer) == 8, "all queues are worked on again");
        await SendAsync(8, i => i == 5 ? "x" : "y");
        await ReceivedAsync(9);
    }

    [Fact]
    public async Task Start_Twice_IsRefused()
    {
        await using PushConsumer consumer = await StartAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.StartAsync());
        await consumer.StopAsync();
        await consumer.StopAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.StartAsync());
    }

    private static string Text(ReceivedMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    private static int QueuesOf(PushConsumer consumer) => consumer.Queues.Count(queue => queue.Topic == Topic);

    private void Broadcast(PushConsumerOptions options, string instance)
    {
        options.MessageModel = MessageModel.Broadcasting;
        options.InstanceName = instance;
        options.OffsetFolder = Path.Combine(_cluster.Folder, "offsets");
    }

    private int Distinct() => _received.Select(message => message.MessageId).Distinct().Count();

    private Task ReceivedAsync(int count) =>
        Eventually.TrueAsync(() => _received.Count >= count, $"{count} messages arrived");

    private async Task SendAsync(int count, Func<int, string>? tag = null)
    {
        for (int i = 0; i < count; i++)
        {
            await _producer.SendAsync(
                new Message(Topic, Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))) { Tag = tag?.Invoke(i) });
        }
    }

    private PushConsumerOptions Options(Action<PushConsumerOptions>? change = null)
    {
        var options = new PushConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = "cg",
            ConsumeFrom = ConsumeFrom.First,
            Subscriptions = { [Topic] = "*" },
        };
        change?.Invoke(options);
        return options;
    }

    private async Task<PushConsumer> StartAsync(Action<PushConsumerOptions>? change = null)
    {
        var consumer = new PushConsumer(Options(change), (message, _) =>
        {
            _received.Enqueue(message);
            return new(ConsumeResult.Success);
        }, new TestLoggers());
        await consumer.StartAsync();
        return consumer;
    }

    private sealed class BatchHandler(ConcurrentQueue<ReceivedMessage> received) : IBatchMessageHandler
    {
        public ConcurrentQueue<IReadOnlyList<ReceivedMessage>> Batches { get; } = new();

        public ValueTask<ConsumeResult> HandleAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel)
        {
            Batches.Enqueue(messages);
            foreach (ReceivedMessage message in messages)
            {
                received.Enqueue(message);
            }

            return new(ConsumeResult.Success);
        }
    }
}
