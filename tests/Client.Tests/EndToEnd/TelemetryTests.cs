using System.Collections.Concurrent;
using System.Diagnostics;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Telemetry;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.EndToEnd;

/// <summary>What somebody sees who listens as OpenTelemetry does.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    // Of these tests only: others in this process send at the same time.
    private const string Topic = "telemetry-orders";
    private const string Group = "telemetry-group";

    private readonly ListeningTelemetry _heard = new(Topic);
    private TestCluster _cluster = null!;
    private Producer _producer = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync("a");
        await _cluster.CreateTopicAsync(Topic, queues: 1);
        _producer = new Producer(new ProducerOptions { NameServers = _cluster.NameServers, SendTimeout = TimeSpan.FromSeconds(30) });
    }

    public async ValueTask DisposeAsync()
    {
        _heard.Dispose();
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task SendAndHandle_WithListeners_AreOneTrace()
    {
        using var outer = new Activity("outer");
        outer.SetIdFormat(ActivityIdFormat.W3C).Start();
        outer.TraceStateString = "vendor=1";
        SendResult sent = await _producer.SendAsync(new Message(Topic, "one"u8.ToArray()));
        outer.Stop();
        var handled = new ConcurrentQueue<(ReceivedMessage Message, Activity? Span)>();
        await using PushConsumer consumer = await ConsumeAsync(message =>
        {
            handled.Enqueue((message, Activity.Current));
            return ConsumeResult.Success;
        });
        await Eventually.TrueAsync(() => _heard.Spans.Count == 2, "both spans ended");

        Activity send = _heard.Spans.Single(span => span.Kind == ActivityKind.Producer);
        Activity process = _heard.Spans.Single(span => span.Kind == ActivityKind.Consumer);
        Assert.Equal((outer.SpanId, outer.TraceId), (send.ParentSpanId, send.TraceId));
        Assert.Equal((send.SpanId, send.TraceId), (process.ParentSpanId, process.TraceId));
        Assert.Equal("vendor=1", process.TraceStateString);
        Assert.Same(process, handled.Single().Span);
        Assert.Equal((send.Id, "vendor=1"), (handled.Single().Message.Properties["traceparent"], handled.Single().Message.Properties["tracestate"]));
        Assert.Equal(($"send {Topic}", $"process {Topic}"), (send.DisplayName, process.DisplayName));
        Assert.Equal(
            [
                ("messaging.destination.name", Topic), ("messaging.destination.partition.id", "a:0"), ("messaging.message.id", sent.MessageId),
                ("messaging.operation.name", "send"), ("messaging.operation.type", "send"), ("messaging.system", "rocketmq"),
            ],
            Tags(send));
        Assert.Equal(
            [
                ("messaging.consumer.group.name", Group), ("messaging.destination.name", Topic), ("messaging.destination.partition.id", "a:0"),
                ("messaging.message.id", sent.MessageId), ("messaging.operation.name", "process"), ("messaging.operation.type", "process"),
                ("messaging.system", "rocketmq"),
            ],
            Tags(process));
    }

    [Fact]
    public async Task Batch_HandledTogether_IsLinkedToItsSend()
    {
        await _producer.SendBatchAsync([new Message(Topic, "one"u8.ToArray()), new Message(Topic, "two"u8.ToArray())]);
        using Activity starting = new Activity("starting").SetIdFormat(ActivityIdFormat.W3C).Start();
        await using PushConsumer consumer = await ConsumeAsync(_ => ConsumeResult.Success, batch: 2);
        await Eventually.TrueAsync(() => _heard.Spans.Any(span => span.Kind == ActivityKind.Consumer), "the batch was handled");

        Activity send = _heard.Spans.Single(span => span.Kind == ActivityKind.Producer);
        Activity process = _heard.Spans.Single(span => span.Kind == ActivityKind.Consumer);
        Assert.Equal([send.SpanId, send.SpanId], process.Links.Select(link => link.Context.SpanId));
        Assert.Equal(default, process.ParentSpanId);
        Assert.Contains(("messaging.batch.message_count", "2"), Tags(send));
        Assert.Contains(("messaging.batch.message_count", "2"), Tags(process));
        Assert.Equal(2, _heard.Sum("messaging.client.sent.messages", ("messaging.operation.name", "send")));
    }

    [Fact]
    public async Task Handler_ThatFails_IsCountedAsFailed()
    {
        await _producer.SendAsync(new Message(Topic, "one"u8.ToArray()));
        await using PushConsumer consumer = await ConsumeAsync(
            message => message.ReconsumeTimes == 0 ? throw new InvalidDataException("of the handler") : ConsumeResult.Success);
        await Eventually.TrueAsync(() => _heard.Spans.Count(span => span.Kind == ActivityKind.Consumer) == 2, "it was handled twice");

        const string Error = "System.IO.InvalidDataException";
        Assert.Equal(1, _heard.Count("messaging.process.duration", ("error.type", Error), ("messaging.consumer.group.name", Group)));
        Assert.Equal(2, _heard.Sum("messaging.client.consumed.messages", ("messaging.destination.name", Topic)));
        Activity failed = _heard.Spans.Single(span => span.Status == ActivityStatusCode.Error);
        Assert.Contains(("error.type", Error), Tags(failed));
        Assert.Equal("of the handler", failed.StatusDescription);

        // What is delivered again belongs to the trace in which it was sent.
        Assert.Single(_heard.Spans.Select(span => span.TraceId).Distinct());
    }

    [Fact]
    public async Task Send_ThatFails_IsCountedAsFailed()
    {
        var queue = new Protocol.Bodies.MessageQueue(Topic, "nowhere", 0);
        await Assert.ThrowsAsync<RouteNotFoundException>(() => _producer.SendAsync(new Message(Topic, "one"u8.ToArray()), queue));

        const string Error = "GrayMQ.Client.Errors.RouteNotFoundException";
        Assert.Equal(1, _heard.Count("messaging.client.operation.duration", ("error.type", Error), ("messaging.operation.name", "send")));
        Assert.Equal(1, _heard.Sum("messaging.client.sent.messages", ("error.type", Error)));
        Assert.Equal(ActivityStatusCode.Error, _heard.Spans.Single().Status);
    }

    [Fact]
    public async Task Send_ThatNobodyTraces_TellsNothingOfTheSpanAroundIt()
    {
        var message = new ReceivedMessage { Topic = Topic, Body = default, Properties = new Dictionary<string, string>(), OffsetMessageId = "received" };
        using Activity? process = new ProcessTelemetry(Group).Start(new Protocol.Bodies.MessageQueue(Topic, "a", 0), [message]);
        (string, string?)[] before = Tags(process!);

        var queue = new Protocol.Bodies.MessageQueue("telemetry-others", "nowhere", 0);
        await Assert.ThrowsAsync<RouteNotFoundException>(() => _producer.SendAsync(new Message(queue.Topic, "one"u8.ToArray()), queue));

        Assert.Equal((process, ActivityStatusCode.Unset), (Activity.Current, process!.Status));
        Assert.Equal(before, Tags(process));
    }

    [Fact]
    public async Task Receive_OfAPopConsumer_IsCounted()
    {
        await _producer.SendAsync(new Message(Topic, "one"u8.ToArray()));
        await using var consumer = new PopConsumer(new PopConsumerOptions { NameServers = _cluster.NameServers, Group = Group, ConsumeFrom = ConsumeFrom.First });
        consumer.Subscribe(Topic);
        await consumer.StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync();

        Assert.Single(received);
        Assert.Equal(1, _heard.Sum("messaging.client.consumed.messages", ("messaging.operation.name", "receive"), ("messaging.consumer.group.name", Group)));
        Assert.Equal(1, _heard.Count("messaging.client.operation.duration", ("messaging.operation.name", "receive")));
    }

    private async Task<PushConsumer> ConsumeAsync(Func<ReceivedMessage, ConsumeResult> handle, int batch = 1)
    {
        var options = new PushConsumerOptions
        {
            NameServers = _cluster.NameServers,
            Group = Group,
            ConsumeFrom = ConsumeFrom.First,
            ConsumeBatchSize = batch,
            Subscriptions = { [Topic] = "*" },
        };
        var consumer = batch == 1
            ? new PushConsumer(options, (message, _) => ValueTask.FromResult(handle(message)))
            : new PushConsumer(options, new Together(handle));
        await consumer.StartAsync();
        return consumer;
    }

    private static (string, string?)[] Tags(Activity span) =>
        [.. span.TagObjects.Select(tag => (tag.Key, tag.Value?.ToString())).OrderBy(tag => tag.Key, StringComparer.Ordinal)];

    private sealed class Together(Func<ReceivedMessage, ConsumeResult> handle) : IBatchMessageHandler
    {
        public ValueTask<ConsumeResult> HandleAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancel) =>
            ValueTask.FromResult(messages.Select(handle).Last());
    }
}
