using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class OrderlyConsumerTests : IAsyncLifetime
{
    private const string Topic = "orders";
    private const int Queues = 4;

    private readonly ConcurrentQueue<ReceivedMessage> _handled = new();
    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a");
        await _cluster.CreateTopicAsync(Topic, Queues);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = TimeSpan.FromSeconds(10) });
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Handler_FailsNowAndThen_EachQueueStaysInOrder()
    {
        await SendAsync(0, 80);
        var attempts = new ConcurrentDictionary<string, int>();
        await using PushConsumer consumer = await StartAsync((message, _) =>
        {
            int attempt = attempts.AddOrUpdate(message.MessageId, 1, (_, count) => count + 1);
            Assert.Equal(attempt - 1, message.ReconsumeTimes);
            if (Number(message) % 20 == 7 && attempt < 3)
            {
                return new(ConsumeResult.RetryLater);
            }

            _handled.Enqueue(message);
            return new(ConsumeResult.Success);
        });

        await HandledAsync(80);

        AssertInOrder();
        Assert.Equal(80, _handled.Count);
        Assert.Equal(3, attempts.Values.Max());
    }

    [Fact]
    public async Task Handlers_OfOneQueue_NeverRunSideBySide()
    {
        await SendAsync(0, 200);
        var running = new ConcurrentDictionary<int, int>();
        int overlaps = 0;
        await using PushConsumer consumer = await StartAsync(async (message, _) =>
        {
            if (running.AddOrUpdate(message.QueueId, 1, (_, count) => count + 1) > 1)
            {
                Interlocked.Increment(ref overlaps);
            }

            await Task.Yield();
            running.AddOrUpdate(message.QueueId, 0, (_, count) => count - 1);
            _handled.Enqueue(message);
            return ConsumeResult.Success;
        });

        await HandledAsync(200);

        Assert.Equal(0, overlaps);
        AssertInOrder();
    }

    [Fact]
    public async Task SecondConsumerComesAndGoes_NothingIsHandledTwiceOrOutOfOrder()
    {
        ValueTask<ConsumeResult> Handle(ReceivedMessage message, CancellationToken cancel)
        {
            _handled.Enqueue(message);
            return new(ConsumeResult.Success);
        }

        using var stop = new CancellationTokenSource();
        int sent = 0;
        Task sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await SendAsync(sent, 1);
                sent++;
            }
        });
        await using PushConsumer first = await StartAsync(Handle);
        await Eventually.TrueAsync(() => QueuesOf(first) == Queues, "the first has all queues");
        await using (PushConsumer second = await StartAsync(Handle))
        {
            await Eventually.TrueAsync(() => QueuesOf(first) == 2 && QueuesOf(second) == 2, "the queues are shared");
            int before = _handled.Count;
            await HandledAsync(before + 50);
        }

        await Eventually.TrueAsync(() => QueuesOf(first) == Queues, "the first has all queues again");
        await stop.CancelAsync();
        await sending;

        await HandledAsync(sent);
        Assert.Equal(sent, _handled.Count);
        AssertInOrder();
    }

    private static int Number(ReceivedMessage message) =>
        int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture);

    private static int QueuesOf(PushConsumer consumer) => consumer.Queues.Count(queue => queue.Topic == Topic);

    private void AssertInOrder()
    {
        foreach (IGrouping<int, ReceivedMessage> queue in _handled.GroupBy(message => message.QueueId))
        {
            Assert.Equal(queue.Select(message => message.QueueOffset).Order(), queue.Select(message => message.QueueOffset));
        }
    }

    private Task HandledAsync(int count) => Eventually.TrueAsync(() => _handled.Count >= count, $"{count} messages are handled");

    private async Task SendAsync(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            await _producer.SendAsync(
                new Message(Topic, Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))),
                QueueSelectors.ByHash(i.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private async Task<PushConsumer> StartAsync(Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handler)
    {
        var consumer = new PushConsumer(
            new PushConsumerOptions
            {
                NameServers = _cluster.NameServers,
                Group = "cg",
                Orderly = true,
                ConsumeFrom = ConsumeFrom.First,
                SuspendCurrentQueue = TimeSpan.FromMilliseconds(20),
                Subscriptions = { [Topic] = "*" },
            },
            handler,
            new TestLoggers());
        await consumer.StartAsync();
        return consumer;
    }
}
