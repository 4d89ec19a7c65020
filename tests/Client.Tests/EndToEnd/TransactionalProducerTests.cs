using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Producers.Transactions;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class TransactionalProducerTests : IAsyncLifetime
{
    private const string Topic = "payments";
    private const string Group = "payers";

    private readonly ConcurrentQueue<string> _delivered = new();
    private readonly ConcurrentQueue<ReceivedMessage> _checked = new();
    private TestCluster _cluster = null!;
    private PushConsumer _consumer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(
            ["transactionTimeOut=200", "transactionCheckInterval=100"], "a");
        await _cluster.CreateTopicAsync(Topic, queues: 2);
        _consumer = new PushConsumer(
            new PushConsumerOptions
            {
                NameServers = _cluster.NameServers,
                Group = "consumers",
                ConsumeFrom = ConsumeFrom.First,
                Subscriptions = { [Topic] = "*" },
            },
            (message, _) =>
            {
                _delivered.Enqueue(Text(message));
                return new(ConsumeResult.Success);
            });
        await _consumer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _consumer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task SendAsync_CommitAndRollback_DeliversWhatIsCommitted()
    {
        await using TransactionalProducer producer = New(_ => TransactionOutcome.Unknown);

        TransactionResult rolledBack = await SendAsync(producer, "no", TransactionOutcome.Rollback);
        TransactionResult committed = await SendAsync(producer, "yes", TransactionOutcome.Commit);
        await DeliveredAsync(1);

        Assert.Equal(["yes"], _delivered);
        Assert.True(committed.IsConcluded);
        Assert.True(rolledBack.IsConcluded);
        Assert.Equal(TransactionOutcome.Commit, committed.Outcome);
        Assert.Equal(TransactionOutcome.Rollback, rolledBack.Outcome);
    }

    [Fact]
    public async Task SendAsync_LocalTransaction_SeesTheIdThatConsumersSee()
    {
        await using TransactionalProducer producer = New(_ => TransactionOutcome.Unknown);
        string? seen = null;

        TransactionResult result = await producer.SendAsync(new Message(Topic, "x"u8.ToArray()) { MessageId = "payment-1" }, (sent, _) =>
        {
            seen = sent.MessageId;
            Assert.Empty(_delivered);
            return new(TransactionOutcome.Commit);
        });

        Assert.Equal("payment-1", seen);
        Assert.Equal("payment-1", result.Sent.MessageId);
        await DeliveredAsync(1);
    }

    [Fact]
    public async Task Check_OutcomeUnknown_DeliversByTheCheckersWord()
    {
        await using TransactionalProducer producer =
            New(text => text == "yes" ? TransactionOutcome.Commit : TransactionOutcome.Rollback);

        TransactionResult unknown = await SendAsync(producer, "yes", TransactionOutcome.Unknown);
        await SendAsync(producer, "no", TransactionOutcome.Unknown);
        await DeliveredAsync(1);
        await Eventually.TrueAsync(() => _checked.Count >= 2, "both are checked");

        Assert.False(unknown.IsConcluded);
        Assert.Equal(["yes"], _delivered);
        ReceivedMessage check = _checked.First(message => Text(message) == "yes");
        Assert.Equal(Topic, check.Topic);
        Assert.Equal(unknown.Sent.MessageId, check.MessageId);
    }

    [Fact]
    public async Task Check_LocalTransactionThrew_AsksAndTheExceptionIsThrownOn()
    {
        await using TransactionalProducer producer = New(_ => TransactionOutcome.Commit);

        await Assert.ThrowsAsync<InvalidOperationException>(() => producer.SendAsync(
            new Message(Topic, "yes"u8.ToArray()), (_, _) => throw new InvalidOperationException("database")));
        await DeliveredAsync(1);
    }

    [Fact]
    public async Task Check_CheckerFailsAtFirst_IsAskedAgain()
    {
        int asked = 0;
        await using TransactionalProducer producer = New(_ => Interlocked.Increment(ref asked) switch
        {
            1 => throw new InvalidOperationException("database"),
            2 => TransactionOutcome.Unknown,
            _ => TransactionOutcome.Commit,
        });

        await SendAsync(producer, "yes", TransactionOutcome.Unknown);
        await DeliveredAsync(1);

        Assert.True(asked >= 3);
    }

    [Fact]
    public async Task Check_ProducerIsGone_AnotherOfItsGroupIsAsked()
    {
        await using (TransactionalProducer first = New(_ => TransactionOutcome.Unknown))
        {
            await SendAsync(first, "yes", TransactionOutcome.Unknown);
        }

        await using TransactionalProducer second = New(_ => TransactionOutcome.Commit);
        await second.StartAsync([Topic]);

        await DeliveredAsync(1);
    }

    [Fact]
    public async Task SendAsync_DelayedMessage_IsRefused()
    {
        await using TransactionalProducer producer = New(_ => TransactionOutcome.Unknown);

        await Assert.ThrowsAsync<ArgumentException>(() => producer.SendAsync(
            new Message(Topic, "x"u8.ToArray()) { Delay = TimeSpan.FromSeconds(1) }, (_, _) => new(TransactionOutcome.Commit)));
    }

    private static string Text(ReceivedMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    private static Task<TransactionResult> SendAsync(TransactionalProducer producer, string text, TransactionOutcome outcome) =>
        producer.SendAsync(new Message(Topic, Encoding.UTF8.GetBytes(text)), (_, _) => new(outcome));

    private Task DeliveredAsync(int count) => Eventually.TrueAsync(() => _delivered.Count >= count, $"{count} are delivered");

    private TransactionalProducer New(Func<string, TransactionOutcome> check) => new(
        new ProducerOptions { NameServers = _cluster.NameServers, Group = Group, SendTimeout = Eventually.Deadline },
        (message, _) =>
        {
            _checked.Enqueue(message);
            return new(check(Text(message)));
        },
        new TestLoggers());
}
