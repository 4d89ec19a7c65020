using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class PopConsumerTests : IAsyncLifetime
{
    private const string Topic = "orders";
    private const string Group = "pop-group";

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

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public async Task ReceiveAsync_MessagesAtTwoBrokers_BringsEachOnceAndAcksThem(SerializeType serializeType)
    {
        await SendAsync(0, 100);
        await using PopConsumer consumer = await StartAsync(options => options.SerializeType = serializeType);

        List<PoppedMessage> received = await ReceiveAsync(consumer, 100);
        await consumer.AckAsync(received);

        Assert.Equal(Enumerable.Range(0, 100), received.Select(Number).Order());
        Assert.Equal(["a", "b"], received.Select(message => message.Message.BrokerName).Distinct().Order());
        Assert.All(received, message => Assert.Equal(Topic, message.Message.Topic));
        Assert.Empty(await consumer.ReceiveAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task ReceiveAsync_TagsAreNamed_BringsThoseOnly()
    {
        for (int i = 0; i < 20; i++)
        {
            await _producer.SendAsync(new Message(Topic, "x"u8.ToArray()) { Tag = i % 2 == 0 ? "even" : "odd" });
        }

        await using PopConsumer consumer = await StartAsync(options => options.Subscriptions[Topic] = "odd");

        List<PoppedMessage> received = await ReceiveAsync(consumer, 10);

        Assert.All(received, message => Assert.Equal("odd", message.Message.Tags));
    }

    [Fact]
    public async Task ReceiveAsync_NothingThere_IsWokenByAMessage()
    {
        await using PopConsumer consumer = await StartAsync();
        Task<IReadOnlyList<PoppedMessage>> receiving = consumer.ReceiveAsync(Eventually.Deadline);
        await SendAsync(7, 1);

        IReadOnlyList<PoppedMessage> received = await receiving;

        Assert.Equal(7, Number(Assert.Single(received)));
    }

    [Fact]
    public async Task ReceiveAsync_CallerGivesUp_TheMessageGoesToTheNext()
    {
        await using PopConsumer consumer = await StartAsync();
        using (var impatient = new CancellationTokenSource())
        {
            Task<IReadOnlyList<PoppedMessage>> receiving = consumer.ReceiveAsync(impatient.Token);
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
        }

        await SendAsync(0, 1);

        Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));
    }

    [Fact]
    public async Task Message_NotAcked_ComesAgainWithItsCount()
    {
        await SendAsync(0, 1);
        await using PopConsumer consumer = await StartAsync(options => options.InvisibleTime = TimeSpan.FromMilliseconds(200));
        PoppedMessage first = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));

        PoppedMessage second = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));

        Assert.Equal(0, first.Message.ReconsumeTimes);
        Assert.Equal(1, second.Message.ReconsumeTimes);
        Assert.Equal(first.Message.MessageId, second.Message.MessageId);
        Assert.Equal(Topic, second.Message.Topic);
        await consumer.AckAsync(second);
    }

    [Fact]
    public async Task ChangeInvisibleAsync_Sooner_ComesAgainThen()
    {
        await SendAsync(0, 1);
        await using PopConsumer consumer = await StartAsync(options => options.InvisibleTime = TimeSpan.FromMinutes(5));
        PoppedMessage first = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));

        await consumer.ChangeInvisibleAsync(first, TimeSpan.FromMilliseconds(100));

        PoppedMessage second = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));
        Assert.Equal(first.Message.MessageId, second.Message.MessageId);
    }

    [Fact]
    public async Task ChangeInvisibleAsync_Later_TheNewHandleAcksIt()
    {
        await SendAsync(0, 1);
        await using PopConsumer consumer = await StartAsync(options => options.InvisibleTime = TimeSpan.FromMilliseconds(300));
        PoppedMessage first = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));

        PoppedMessage changed = await consumer.ChangeInvisibleAsync(first, TimeSpan.FromMinutes(1));
        await consumer.AckAsync(changed.Handle);

        Assert.NotEqual(first.Handle, changed.Handle);
        Assert.Empty(await consumer.ReceiveAsync(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task AckAsync_HandleParsedByAnotherConsumer_AcksTheMessage()
    {
        await SendAsync(0, 1);
        await using PopConsumer consumer = await StartAsync(options => options.InvisibleTime = TimeSpan.FromMilliseconds(500));
        PoppedMessage message = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));
        string text = message.Handle.ToString();

        await using (PopConsumer other = await StartAsync())
        {
            await other.AckAsync(ReceiptHandle.Parse(text));
        }

        Assert.Empty(await consumer.ReceiveAsync(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task AckAsync_OffsetThatTheQueueDoesNotHave_IsRefused()
    {
        await SendAsync(0, 1);
        await using PopConsumer consumer = await StartAsync();
        PoppedMessage message = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));
        string text = message.Handle.ToString();
        ReceiptHandle forged = ReceiptHandle.Parse(string.Concat(text.AsSpan(0, text.LastIndexOf(' ')), " 1000"));

        await Assert.ThrowsAsync<BrokerException>(() => consumer.AckAsync(forged));
    }

    [Fact]
    public async Task ReceiveAsync_Orderly_HoldsTheQueueUntilItIsAcked()
    {
        await _cluster.CreateTopicAsync("steps", queues: 1);
        MessageQueue queue = (await _producer.GetQueuesAsync("steps"))[0];
        for (int i = 0; i < 6; i++)
        {
            await _producer.SendAsync(New(i, "steps"), queue);
        }

        await using PopConsumer consumer = await StartAsync(options =>
        {
            options.Orderly = true;
            options.BatchSize = 4;
            options.Subscriptions.Clear();
            options.Subscriptions["steps"] = "*";
        });

        IReadOnlyList<PoppedMessage> first = await consumer.ReceiveAsync(Eventually.Deadline);
        IReadOnlyList<PoppedMessage> held = await consumer.ReceiveAsync(TimeSpan.Zero);
        await consumer.AckAsync(first);
        IReadOnlyList<PoppedMessage> second = await consumer.ReceiveAsync(Eventually.Deadline);

        Assert.Equal([0, 1, 2, 3], first.Select(Number));
        Assert.Empty(held);
        Assert.Equal([4, 5], second.Select(Number));
    }

    [Fact]
    public async Task StopAsync_MessagesThatNobodyTook_ComeToOthersSoon()
    {
        await using PopConsumer consumer = await StartAsync(options => options.InvisibleTime = TimeSpan.FromMinutes(5));
        Task<IReadOnlyList<PoppedMessage>> receiving = consumer.ReceiveAsync(Eventually.Deadline);
        await SendAsync(0, 1);
        Assert.Single(await receiving);
        using (var impatient = new CancellationTokenSource())
        {
            receiving = consumer.ReceiveAsync(impatient.Token);
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
        }

        // Which broker's parked request gets it makes no difference.
        await SendAsync(1, 1);
        await consumer.StopAsync();

        await using PopConsumer other = await StartAsync();
        Assert.Equal(1, Number(Assert.Single(await other.ReceiveAsync(Eventually.Deadline))));
        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.ReceiveAsync(TimeSpan.Zero));
    }

    private static int Number(PoppedMessage message) =>
        int.Parse(Encoding.UTF8.GetString(message.Message.Body.Span), CultureInfo.InvariantCulture);

    private static Message New(int number, string topic = Topic) =>
        new(topic, Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

    private static async Task<List<PoppedMessage>> ReceiveAsync(PopConsumer consumer, int count)
    {
        using var limit = new CancellationTokenSource(Eventually.Deadline);
        var received = new List<PoppedMessage>();
        while (received.Count < count)
        {
            received.AddRange(await consumer.ReceiveAsync(limit.Token));
        }

        return received;
    }

    private async Task SendAsync(int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            await _producer.SendAsync(New(i));
        }
    }

    private async Task<PopConsumer> StartAsync(Action<PopConsumerOptions>? configure = null)
    {
        var options = new PopConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = Group,
            ConsumeFrom = ConsumeFrom.First,
            Subscriptions = { [Topic] = "*" },
        };
        configure?.Invoke(options);
        var consumer = new PopConsumer(options, new TestLoggers());
        await consumer.StartAsync();
        return consumer;
    }
}
