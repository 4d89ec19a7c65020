using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class PullConsumerTests : IAsyncLifetime
{
    private const string Topic = "orders";

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a");
        await _cluster.CreateTopicAsync(Topic, queues: 2);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = TimeSpan.FromSeconds(10) });
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Subscribe_PollsEverything_EachQueueInItsOrder()
    {
        await SendAsync(0, 60);
        await using PullConsumer consumer = New();
        consumer.Subscribe(Topic);
        await consumer.StartAsync();

        List<ReceivedMessage> messages = await PollAsync(consumer, 60);

        Assert.Equal(60, messages.Select(message => message.MessageId).Distinct().Count());
        foreach (IGrouping<int, ReceivedMessage> queue in messages.GroupBy(message => message.QueueId))
        {
            Assert.Equal(queue.Select(message => message.QueueOffset).Order(), queue.Select(message => message.QueueOffset));
        }

        Assert.Empty(await consumer.PollAsync(Soon));
    }

    [Fact]
    public async Task Subscribe_WithTags_PollsOnlyThese()
    {
        await SendAsync(0, 10);
        await using PullConsumer consumer = New();
        consumer.Subscribe(Topic, "tag3 || tag7");
        await consumer.StartAsync();

        List<ReceivedMessage> messages = await PollAsync(consumer, 2);

        Assert.Equal(["tag3", "tag7"], messages.Select(message => message.Tags).Order());
    }

    [Fact]
    public async Task PollAsync_NothingThere_WaitsForTheNextMessage()
    {
        await using PullConsumer consumer = New();
        consumer.Subscribe(Topic);
        await consumer.StartAsync();
        Task<IReadOnlyList<ReceivedMessage>> polling = consumer.PollAsync();

        await SendAsync(0, 1);

        Assert.Single(await polling.WaitAsync(Eventually.Deadline));
    }

    [Fact]
    public async Task PollAsync_Cancelled_LosesNothing()
    {
        await using PullConsumer consumer = New();
        consumer.Subscribe(Topic);
        await consumer.StartAsync();
        using var cancel = new CancellationTokenSource();
        Task polling = consumer.PollAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => polling);

        await SendAsync(0, 4);

        Assert.Equal(4, (await PollAsync(consumer, 4)).Count);
    }

    [Fact]
    public async Task Stop_AfterAFurtherPoll_CommitsWhatWasPolledBefore()
    {
        await SendAsync(0, 20);
        await using (PullConsumer consumer = New())
        {
            consumer.Subscribe(Topic);
            await consumer.StartAsync();
            await PollAsync(consumer, 20);
            Assert.Empty(await consumer.PollAsync(Soon));
        }

        await SendAsync(20, 10);
        await using PullConsumer again = New();
        again.Subscribe(Topic);
        await again.StartAsync();

        List<ReceivedMessage> messages = await PollAsync(again, 10);

        Assert.Equal(Enumerable.Range(20, 10), messages.Select(Number).Order());
    }

    [Fact]
    public async Task Stop_WithoutAFurtherPoll_LeavesTheLastPollUncommitted()
    {
        await SendAsync(0, 20);
        await using (PullConsumer consumer = New(options => options.PollBatchSize = 100))
        {
            consumer.Subscribe(Topic);
            await consumer.StartAsync();
            Assert.NotEmpty(await consumer.PollAsync());
        }

        await using PullConsumer again = New();
        again.Subscribe(Topic);
        await again.StartAsync();

        Assert.Equal(20, (await PollAsync(again, 20)).Count);
    }

    [Fact]
    public async Task CommitAsync_WithoutAutoCommit_DecidesWhereTheNextBegins()
    {
        await SendAsync(0, 10);
        var queue = new MessageQueue(Topic, "a", 0);
        await using (PullConsumer consumer = New(options => options.AutoCommit = false))
        {
            await consumer.AssignAsync([queue]);
            await consumer.StartAsync();
            await PollAsync(consumer, 5);
            Assert.Empty(await consumer.PollAsync(Soon));
            await consumer.CommitAsync(new Dictionary<MessageQueue, long> { [queue] = 2 });
            Assert.Equal(2, await consumer.GetCommittedAsync(queue));
        }

        await using PullConsumer again = New();
        await again.AssignAsync([queue]);
        await again.StartAsync();

        Assert.Equal([2, 3, 4], (await PollAsync(again, 3)).Select(message => message.QueueOffset));
    }

    [Fact]
    public async Task CommitAsync_BrokerIsGone_Throws()
    {
        await SendAsync(0, 1);
        await using PullConsumer consumer = New(options => options.AutoCommit = false);
        consumer.Subscribe(Topic);
        await consumer.StartAsync();
        await PollAsync(consumer, 1);

        await _cluster.StopBrokerAsync("a");

        await Assert.ThrowsAnyAsync<IOException>(() => consumer.CommitAsync());
        await _cluster.StartBrokerAsync("a");
        await consumer.CommitAsync();
    }

    [Fact]
    public async Task Assign_GivesOnlyThatQueue_AndMayBeChanged()
    {
        await SendAsync(0, 10);
        await using PullConsumer consumer = New();
        IReadOnlyList<MessageQueue> queues = await consumer.GetQueuesAsync(Topic);
        Assert.Equal([new(Topic, "a", 0), new(Topic, "a", 1)], queues);
        await consumer.AssignAsync([queues[1]]);
        await consumer.StartAsync();
        Assert.All(await PollAsync(consumer, 5), message => Assert.Equal(1, message.QueueId));

        await consumer.AssignAsync([queues[0]]);

        Assert.Equal([queues[0]], consumer.Queues);
        Assert.All(await PollAsync(consumer, 5), message => Assert.Equal(0, message.QueueId));
        Assert.Throws<InvalidOperationException>(() => consumer.Subscribe(Topic));
    }

    [Fact]
    public async Task Seek_GoesBackAndForth()
    {
        await SendAsync(0, 20);
        var queue = new MessageQueue(Topic, "a", 0);
        await using PullConsumer consumer = New(options => options.PollBatchSize = 1);
        await consumer.AssignAsync([queue]);
        await consumer.StartAsync();
        Assert.Equal(0, (await PollAsync(consumer, 1))[0].QueueOffset);

        await consumer.SeekAsync(queue, 7);
        Assert.Equal(7, (await PollAsync(consumer, 1))[0].QueueOffset);
        await consumer.SeekToBeginAsync(queue);
        Assert.Equal(0, (await PollAsync(consumer, 1))[0].QueueOffset);
        await consumer.SeekToEndAsync(queue);
        Assert.Empty(await consumer.PollAsync(Soon));
        await SendAsync(20, 2);
        Assert.Equal(10, (await PollAsync(consumer, 1))[0].QueueOffset);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => consumer.SeekAsync(queue, 100));
        await Assert.ThrowsAsync<ArgumentException>(() => consumer.SeekAsync(new MessageQueue(Topic, "a", 1), 0));
    }

    [Fact]
    public async Task Pause_HoldsAQueueBack()
    {
        await SendAsync(0, 10);
        await using PullConsumer consumer = New();
        IReadOnlyList<MessageQueue> queues = await consumer.GetQueuesAsync(Topic);
        await consumer.AssignAsync(queues);
        await consumer.StartAsync();
        consumer.Pause(queues[0]);

        Assert.All(await PollAsync(consumer, 5), message => Assert.Equal(1, message.QueueId));
        Assert.Empty(await consumer.PollAsync(Soon));
        Task<IReadOnlyList<ReceivedMessage>> polling = consumer.PollAsync();
        consumer.Resume(queues[0]);

        Assert.All(await polling.WaitAsync(Eventually.Deadline), message => Assert.Equal(0, message.QueueId));
    }

    [Fact]
    public async Task TwoConsumers_ShareTheQueues()
    {
        await using PullConsumer first = New();
        await using PullConsumer second = New();
        foreach (PullConsumer consumer in (PullConsumer[])[first, second])
        {
            consumer.Subscribe(Topic);
            await consumer.StartAsync();
        }

        await Eventually.TrueAsync(() => first.Queues.Count == 1 && second.Queues.Count == 1, "each has a queue");
        Assert.NotEqual(first.Queues.Single(), second.Queues.Single());
        await second.StopAsync();
        await Eventually.TrueAsync(() => first.Queues.Count == 2, "one has both");
    }

    [Fact]
    public async Task ReadAllAsync_YieldsMessages()
    {
        await SendAsync(0, 10);
        await using PullConsumer consumer = New();
        consumer.Subscribe(Topic);
        await consumer.StartAsync();
        var numbers = new List<int>();

        await foreach (ReceivedMessage message in consumer.ReadAllAsync())
        {
            numbers.Add(Number(message));
            if (numbers.Count == 10)
            {
                break;
            }
        }

        Assert.Equal(Enumerable.Range(0, 10), numbers.Order());
    }

    private static int Number(ReceivedMessage message) =>
        int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture);

    private static async Task<List<ReceivedMessage>> PollAsync(PullConsumer consumer, int count)
    {
        var messages = new List<ReceivedMessage>();
        using var limit = new CancellationTokenSource(Eventually.Deadline);
        while (messages.Count < count)
        {
            messages.AddRange(await consumer.PollAsync(limit.Token));
        }

        return messages;
    }

    private async Task SendAsync(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            var message = new Message(Topic, Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))) { Tag = $"tag{i}" };
            await _producer.SendAsync(message, (queues, _) => queues[i % queues.Count]);
        }
    }

    private PullConsumer New(Action<PullConsumerOptions>? change = null)
    {
        var options = new PullConsumerOptions { NameServers = _cluster.NameServers, Group = "cg", ConsumeFrom = ConsumeFrom.First };
        change?.Invoke(options);
        return new PullConsumer(options, new TestLoggers());
    }
}
