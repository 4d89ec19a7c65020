using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

public sealed class RequestReplyTests : IAsyncLifetime
{
    private const string Topic = "questions";

    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a", "b");
        await _cluster.CreateTopicAsync(Topic, queues: 2);
        _producer = NewProducer();
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task RequestAsync_ConsumerReplies_BringsEachItsOwnReply()
    {
        PushConsumer? replying = null;
        await using PushConsumer consumer = replying = NewConsumer(async (message, cancel) =>
        {
            await replying!.ReplyAsync(message, Answer(message), cancel);
            return ConsumeResult.Success;
        });
        await consumer.StartAsync();

        string[] questions = [.. Enumerable.Range(0, 40).Select(i => $"question {i} {new string('x', i * 300)}")];
        ReceivedMessage[] replies = await Task.WhenAll(questions.Select(AskAsync));

        Assert.Equal(questions.Select(question => question + "!"), replies.Select(Text));
        Assert.All(replies, reply => Assert.Equal(MessageProperty.MessageTypeReply, reply.Properties[MessageProperty.MessageType]));
    }

    [Fact]
    public async Task RequestAsync_PopConsumerRepliesByAProducer_BringsTheReply()
    {
        await using Producer answering = NewProducer();
        await using var consumer = new PopPushConsumer(
            new PopPushConsumerOptions
            {
                NameServers = _cluster.NameServers,
                Group = "answerers",
                ConsumeFrom = ConsumeFrom.First,
                Subscriptions = { [Topic] = "*" },
            },
            async (message, cancel) =>
            {
                await answering.ReplyAsync(message, Answer(message), cancel);
                return ConsumeResult.Success;
            });
        await consumer.StartAsync();

        Assert.Equal("why!", Text(await AskAsync("why")));
    }

    [Fact]
    public async Task RequestAsync_NobodyReplies_TimesOut() => await Assert.ThrowsAsync<TimeoutException>(
        () => _producer.RequestAsync(new Message(Topic, "?"u8.ToArray()), TimeSpan.FromMilliseconds(100)));

    [Fact]
    public async Task ReplyAsync_MessageIsNoRequest_IsRefusedHere()
    {
        var message = new ReceivedMessage
        {
            Topic = Topic,
            Body = "?"u8.ToArray(),
            Properties = new Dictionary<string, string> { [MessageProperty.Cluster] = "test" },
            OffsetMessageId = "",
        };

        await Assert.ThrowsAsync<ArgumentException>(() => _producer.ReplyAsync(message, "!"u8.ToArray()));
    }

    [Fact]
    public async Task ReplyAsync_WhoAskedIsGone_FailsWithTheBrokersAnswer()
    {
        ReceivedMessage? request = null;
        await using PushConsumer consumer = NewConsumer((message, _) =>
        {
            request = message;
            return new(ConsumeResult.Success);
        });
        await consumer.StartAsync();
        await using (Producer asking = NewProducer())
        {
            await Assert.ThrowsAsync<TimeoutException>(
                () => asking.RequestAsync(new Message(Topic, "?"u8.ToArray()), TimeSpan.FromMilliseconds(100)));
        }

        await Eventually.TrueAsync(() => request is not null, "the request comes");

        await Assert.ThrowsAsync<BrokerException>(() => _producer.ReplyAsync(request!, "!"u8.ToArray()));
    }

    private static string Text(ReceivedMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    private static byte[] Answer(ReceivedMessage message) => Encoding.UTF8.GetBytes(Text(message) + "!");

    private Task<ReceivedMessage> AskAsync(string question) =>
        _producer.RequestAsync(new Message(Topic, Encoding.UTF8.GetBytes(question)), Eventually.Deadline);

    private Producer NewProducer() => new(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = Eventually.Deadline });

    private PushConsumer NewConsumer(Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handler) => new(
        new PushConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = "answerers",
            ConsumeFrom = ConsumeFrom.First,
            Subscriptions = { [Topic] = "*" },
        },
        handler,
        new TestLoggers());
}
