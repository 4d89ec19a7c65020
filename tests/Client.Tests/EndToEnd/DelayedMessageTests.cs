using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class DelayedMessageTests : IAsyncLifetime
{
    private const string Topic = "reminders";

    // Clocks of the broker and of this test are the same one; times are rounded to milliseconds on the way.
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _delivered = new();
    private TestCluster _cluster = null!;
    private Producer _producer = null!;
    private PushConsumer _consumer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(["recallMessageEnable=true", "messageDelayLevel=1h 1s", "timerPrecisionMs=100"], "a");
        await _cluster.CreateTopicAsync(Topic, queues: 2);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = Eventually.Deadline });
        _consumer = new PushConsumer(
            new PushConsumerOptions
            {
                NameServers = _cluster.NameServers,
                Group = "reminded",
                ConsumeFrom = ConsumeFrom.First,
                Subscriptions = { [Topic] = "*" },
            },
            (message, _) =>
            {
                Assert.True(_delivered.TryAdd(Text(message), TimeProvider.System.GetUtcNow()), $"{Text(message)} came twice");
                return new(ConsumeResult.Success);
            });
        await _consumer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _consumer.DisposeAsync();
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task SendAsync_DelayedInEachWay_IsDeliveredNotBeforeItsTime()
    {
        DateTimeOffset start = TimeProvider.System.GetUtcNow();
        DateTimeOffset at = start + TimeSpan.FromMilliseconds(700);
        await _producer.SendAsync(new Message(Topic, "delay"u8.ToArray()) { Delay = TimeSpan.FromMilliseconds(500) });
        await _producer.SendAsync(new Message(Topic, "time"u8.ToArray()) { DeliverAt = at });
        await _producer.SendAsync(new Message(Topic, "level"u8.ToArray()) { DelayLevel = 2 });
        await _producer.SendAsync(new Message(Topic, "past"u8.ToArray()) { DeliverAt = start - TimeSpan.FromHours(1) });
        await _producer.SendAsync(new Message(Topic, "now"u8.ToArray()));
        await Eventually.TrueAsync(() => _delivered.Count == 5, "all are delivered");

        Assert.True(_delivered["delay"] - start >= TimeSpan.FromMilliseconds(500) - Rounding);
        Assert.True(_delivered["time"] >= at - Rounding);
        Assert.True(_delivered["level"] - start >= TimeSpan.FromSeconds(1) - Rounding);
    }

    [Fact]
    public async Task RecallAsync_PendingMessage_IsNeverDelivered()
    {
        SendResult unwanted = await _producer.SendAsync(new Message(Topic, "unwanted"u8.ToArray()) { Delay = TimeSpan.FromSeconds(3) });
        await _producer.SendAsync(new Message(Topic, "wanted"u8.ToArray()) { Delay = TimeSpan.FromSeconds(3.3) });

        string id = await _producer.RecallAsync(Topic, unwanted.RecallHandle!);
        await Eventually.TrueAsync(() => _delivered.ContainsKey("wanted"), "what is due later is delivered");

        Assert.Equal(unwanted.MessageId, id);
        Assert.Equal(["wanted"], _delivered.Keys);
    }

    [Fact]
    public async Task RecallAsync_DeliveredMessage_IsRefused()
    {
        SendResult sent = await _producer.SendAsync(new Message(Topic, "done"u8.ToArray()) { Delay = TimeSpan.FromMilliseconds(50) });
        await Eventually.TrueAsync(() => !_delivered.IsEmpty, "it is delivered");

        await Assert.ThrowsAsync<BrokerException>(() => _producer.RecallAsync(Topic, sent.RecallHandle!));
    }

    private static string Text(ReceivedMessage message) => Encoding.UTF8.GetString(message.Body.Span);
}
