using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Client.Tests.Consumers.Popping;

/// <summary>What pop consumers ask of brokers, and what they make of answers that a broker of ours does not give.</summary>
public sealed class PopScriptedTests : IAsyncLifetime
{
    private const string Topic = "orders";

    private readonly ConcurrentQueue<(MessageQueue Queue, int MaxMessages, long PollMs)> _pops = new();
    private readonly ConcurrentQueue<BatchAckMessageRequestBody> _batches = new();
    private readonly ConcurrentQueue<string> _acks = new();
    private readonly ConcurrentQueue<long> _offsets = new();
    private readonly ConcurrentQueue<(long PopTimeMs, long InvisibleMs)> _changes = new();
    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _broker = null!;
    private Func<RemotingRequest, PopMessageHeader, bool> _onPop = (_, _) => false;
    private Func<RemotingRequest, bool> _onBatchAck = _ => false;
    private Func<RemotingRequest, AckMessageHeader, bool> _onAck = (_, _) => false;
    private Func<RemotingRequest, bool> _onAssignment = _ => false;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _broker = await ScriptedBroker.StartAsync("a", more: (_, requests) => requests
            .On<PopMessageHeader>(RequestCode.PopMessage, HandlePop)
            .On<AckMessageHeader>(RequestCode.AckMessage, HandleAck)
            .On<NoHeader>(RequestCode.BatchAckMessage, HandleBatchAck)
            .On<ChangeInvisibleTimeHeader>(RequestCode.ChangeMessageInvisibleTime, HandleChange)
            .On<NoHeader>(RequestCode.QueryAssignment, HandleAssignment));
        _nameServer.With(Topic, 4, _broker);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    [Fact]
    public async Task AckAsync_Several_GoAsOneRequestWithTheirBits()
    {
        Offer(10, 11, 13, 30);
        await using PopConsumer consumer = await StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync(Eventually.Deadline);

        await consumer.AckAsync(received);

        BatchAck ack = Assert.Single(Assert.Single(_batches).Acks);
        Assert.Equal((Topic, "g", "0", 10, 2), (ack.Topic, ack.ConsumerGroup, ack.Retry, ack.StartOffset, ack.QueueId));
        Assert.Equal([0b1011, 0, 0b1_0000], ack.Bits);
        Assert.Empty(_acks);
    }

    [Fact]
    public async Task AckAsync_BrokerDoesNotKnowBatches_GoOneByOneFromThenOn()
    {
        _onBatchAck = request =>
        {
            request.Reply(ResponseCode.RequestCodeNotSupported, "scripted");
            return true;
        };
        Offer(10, 11, 12);
        await using PopConsumer consumer = await StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync(Eventually.Deadline);

        await consumer.AckAsync(received);
        await consumer.AckAsync(received);

        Assert.Single(_batches);
        Assert.Equal(6, _acks.Count);
        Assert.Contains("orders 2 10 1000 60000 0 0 a 2 11", _acks);
    }

    [Fact]
    public async Task AckAsync_BrokerRefusesTheBatch_NamesWhatIsNotAcked()
    {
        _onBatchAck = request =>
        {
            request.Reply(ResponseCode.SystemError, "scripted");
            return true;
        };
        Offer(10, 11);
        await using PopConsumer consumer = await StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync(Eventually.Deadline);

        AckException refused = await Assert.ThrowsAsync<AckException>(() => consumer.AckAsync(received));

        Assert.Equal(received.Select(message => message.Handle), refused.Failed);
        Assert.IsType<BrokerException>(refused.InnerException);
    }

    [Fact]
    public async Task AckAsync_OneSentAloneIsRefused_NamesThatOneOnly()
    {
        const long FarBehind = 100_000;
        _onAck = (request, header) =>
        {
            if (header.Offset == FarBehind)
            {
                request.Reply(ResponseCode.NoMessage, "scripted");
            }

            return header.Offset == FarBehind;
        };
        Offer(10, 11, FarBehind, FarBehind + 1);
        await using PopConsumer consumer = await StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync(Eventually.Deadline);

        AckException refused = await Assert.ThrowsAsync<AckException>(() => consumer.AckAsync(received));

        Assert.Equal([received[2].Handle], refused.Failed);
        Assert.Equal([0b11], Assert.Single(Assert.Single(_batches).Acks).Bits);
        Assert.Equal(2, _acks.Count);
    }

    [Fact]
    public async Task AckAsync_TheBatchIsRefused_StillSendsTheOthers()
    {
        _onBatchAck = request =>
        {
            request.Reply(ResponseCode.SystemError, "scripted");
            return true;
        };
        Offer(10, 11, 100_000);
        await using PopConsumer consumer = await StartAsync();
        IReadOnlyList<PoppedMessage> received = await consumer.ReceiveAsync(Eventually.Deadline);

        AckException refused = await Assert.ThrowsAsync<AckException>(() => consumer.AckAsync(received));

        Assert.Equal([received[0].Handle, received[1].Handle], refused.Failed);
        Assert.Single(_acks);
    }

    [Fact]
    public async Task ReceiveAsync_BrokerRefusesForGood_Throws()
    {
        _onPop = (request, _) =>
        {
            request.Reply(ResponseCode.RequestCodeNotSupported, "scripted");
            return true;
        };
        await using PopConsumer consumer = await StartAsync();

        BrokerException refused =
            await Assert.ThrowsAsync<BrokerException>(() => consumer.ReceiveAsync(Eventually.Deadline));

        Assert.Equal(ResponseCode.RequestCodeNotSupported, refused.Code);
    }

    [Fact]
    public async Task ReceiveAsync_BrokerIsBusyAtFirst_AsksAgain()
    {
        int refusals = 2;
        _onPop = (request, pop) =>
        {
            if (Interlocked.Decrement(ref refusals) >= 0)
            {
                request.Reply(ResponseCode.SystemBusy, "scripted");
                return true;
            }

            return false;
        };
        Offer(10);
        await using PopConsumer consumer = await StartAsync();

        Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));
    }

    [Fact]
    public async Task ReceiveAsync_NothingThere_AsksAtOnceThenParks()
    {
        await using PopConsumer consumer = await StartAsync();
        using var impatient = new CancellationTokenSource();
        Task receiving = consumer.ReceiveAsync(impatient.Token);
        await Eventually.TrueAsync(() => _pops.Count >= 2, "a request is parked");
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);

        Assert.All(_pops, pop => Assert.Equal((new MessageQueue(Topic, "a", -1), 32), (pop.Queue, pop.MaxMessages)));
        Assert.Equal(0, _pops.First().PollMs);
        Assert.InRange(_pops.Last().PollMs, 1, 15_000);
    }

    [Fact]
    public async Task ReceiveAsync_TagsOfTheSameHash_AcksWhatIsNotWanted()
    {
        // "Aa" and "BB" have the same Java hash code.
        Offer(10, 11);
        await using PopConsumer consumer = await StartAsync("Aa");

        PoppedMessage received = Assert.Single(await consumer.ReceiveAsync(Eventually.Deadline));

        Assert.Equal("Aa", received.Message.Tags);
        await Eventually.TrueAsync(() => !_acks.IsEmpty, "the other one is acknowledged");
        Assert.Equal("orders 2 10 1000 60000 0 0 a 2 11", Assert.Single(_acks));
    }

    [Fact]
    public async Task Handler_TakesLongerThanTheInvisibleTime_RenewsTheNewestHandleWithinEachHalfAndAcksByIt()
    {
        const int Renewals = 6;
        TimeSpan invisible = TimeSpan.FromMinutes(1);
        var time = new ManualTime();
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isHandling = false;
        Offer(10);
        var options = new PopPushConsumerOptions
        {
            NameServers = _nameServer.Address,
            Group = "g",
            ConsumeFrom = ConsumeFrom.First,
            InvisibleTime = invisible,
            ConsumeTimeout = TimeSpan.FromDays(10),
            RequestTimeout = TimeSpan.FromDays(10),
            Subscriptions = { [Topic] = "*" },
        };
        await using var consumer = new PopPushConsumer(
            options,
            async (_, cancel) =>
            {
                Volatile.Write(ref isHandling, true);
                await mayEnd.Task.WaitAsync(cancel);
                return ConsumeResult.Success;
            },
            new TestLoggers(),
            time);
        await consumer.StartAsync();
        try
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref isHandling), "the message is being handled");
            time.Advance(invisible / 2);
            await Eventually.TrueAsync(() => !_changes.IsEmpty, "the time is renewed once half of it is over");
            await Eventually.TrueAsync(
                () =>
                {
                    // A renewal that is not answered yet keeps the next from beginning: the clock has to go on.
                    time.Advance(invisible / 8);
                    return _changes.Count >= Renewals;
                },
                "the time is renewed again and again");
        }
        finally
        {
            mayEnd.SetResult();
        }

        await Eventually.TrueAsync(() => !_acks.IsEmpty || !_batches.IsEmpty, "the message is acked");
        await consumer.StopAsync();

        (long PopTimeMs, long InvisibleMs)[] changes = [.. _changes];
        Assert.Equal(Enumerable.Range(0, changes.Length).Select(i => 1000L + i), changes.Select(change => change.PopTimeMs));
        Assert.All(changes, change => Assert.Equal((long)invisible.TotalMilliseconds, change.InvisibleMs));
        Assert.Empty(_batches);
        Assert.Contains($" {1000 + changes.Length} ", Assert.Single(_acks), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assignment_QueuesAreSharedOut_PopsTheseOnly()
    {
        MessageQueue[] assigned = [new(Topic, "a", 1), new(Topic, "a", 3), new(Topic, "gone", 0)];
        _onAssignment = request =>
        {
            request.Reply(BodyCodec.Encode(new QueryAssignmentResponseBody
            {
                MessageQueueAssignments =
                    [.. assigned.Select(queue => new MessageQueueAssignment { MessageQueue = queue, Mode = MessageRequestMode.Pop })],
            }));
            return true;
        };

        await using PopConsumer consumer = await StartAsync();

        Assert.Equal(assigned[..2], consumer.Queues);
    }

    [Fact]
    public async Task Assignment_GroupIsSetToPull_PopsAllQueues()
    {
        _onAssignment = request =>
        {
            request.Reply(BodyCodec.Encode(new QueryAssignmentResponseBody
            {
                MessageQueueAssignments =
                    [new MessageQueueAssignment { MessageQueue = new(Topic, "a", 1), Mode = MessageRequestMode.Pull }],
            }));
            return true;
        };

        await using PopConsumer consumer = await StartAsync();

        Assert.Equal([new(Topic, "a", -1)], consumer.Queues);
    }

    private static byte[] Record(long offset, string tag)
    {
        var fields = new StoredMessageFields
        {
            Topic = Encoding.UTF8.GetBytes(Topic),
            Properties = Encoding.UTF8.GetBytes($"UNIQ_KEY\u0001id{offset}\u0002TAGS\u0001{tag}\u0002"),
            QueueId = 2,
            QueueOffset = offset,
            PhysicalOffset = offset * 1000,
            BornHost = MessageHost.FromV4(0x7F000001, 1),
            StoreHost = MessageHost.FromV4(0x7F000001, 10911),
        };
        byte[] text = Encoding.UTF8.GetBytes(offset.ToString(CultureInfo.InvariantCulture));
        byte[] record = new byte[StoredMessageWriter.RecordBytes(fields, text.Length)];
        StoredMessageWriter.Write(record, fields, new System.Buffers.ReadOnlySequence<byte>(text));
        return record;
    }

    private void Offer(params long[] offsets)
    {
        foreach (long offset in offsets)
        {
            _offsets.Enqueue(offset);
        }
    }

    private async Task<PopConsumer> StartAsync(string tags = "*")
    {
        var consumer = new PopConsumer(
            new PopConsumerOptions
            {
                NameServers = _nameServer.Address,
                Group = "g",
                ConsumeFrom = ConsumeFrom.First,
                Subscriptions = { [Topic] = tags },
            },
            new TestLoggers());
        await consumer.StartAsync();
        return consumer;
    }

    private ValueTask HandlePop(RemotingRequest request, PopMessageHeader header)
    {
        _pops.Enqueue((
            new MessageQueue(Encoding.UTF8.GetString(header.Topic.Span), "a", header.QueueId), header.MaxMessages, header.PollTimeMs));
        if (_onPop(request, header))
        {
            return ValueTask.CompletedTask;
        }

        long[] offsets = [.. _offsets];
        _offsets.Clear();
        if (offsets.Length == 0)
        {
            if (header.PollTimeMs == 0)
            {
                request.Reply(ResponseCode.PollingTimeout, "nothing there");
            }

            return ValueTask.CompletedTask;
        }

        request.Responder.Reply(
            ResponseCode.Success,
            null,
            new PopMessageResponseHeader
            {
                PopTimeMs = 1000,
                InvisibleTimeMs = header.InvisibleTimeMs,
                StartOffsetInfo = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"0 2 {offsets[0]}")),
                MessageOffsetInfo = Encoding.UTF8.GetBytes($"0 2 {string.Join(',', offsets)}"),
            },
            new MemoryBody(offsets.SelectMany(offset => Record(offset, offset % 2 == 0 ? "Aa" : "BB")).ToArray()));
        return ValueTask.CompletedTask;
    }

    // The time of the pop in each handle is one later than in the one before.
    private ValueTask HandleChange(RemotingRequest request, ChangeInvisibleTimeHeader header)
    {
        long popTimeMs = long.Parse(Encoding.UTF8.GetString(header.ExtraInfo.Span).Split(' ')[1], CultureInfo.InvariantCulture);
        _changes.Enqueue((popTimeMs, header.InvisibleTimeMs));
        request.Reply(new ChangeInvisibleTimeResponseHeader { PopTimeMs = popTimeMs + 1, InvisibleTimeMs = header.InvisibleTimeMs });
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleAck(RemotingRequest request, AckMessageHeader header)
    {
        _acks.Enqueue(
            $"{Encoding.UTF8.GetString(header.Topic.Span)} {header.QueueId} {Encoding.UTF8.GetString(header.ExtraInfo.Span)}");
        if (!_onAck(request, header))
        {
            request.Reply(ResponseCode.Success);
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask HandleBatchAck(RemotingRequest request, NoHeader header)
    {
        _batches.Enqueue(BodyCodec.Decode<BatchAckMessageRequestBody>(request.Body));
        if (!_onBatchAck(request))
        {
            request.Reply(ResponseCode.Success);
        }

        return ValueTask.CompletedTask;
    }

    private ValueTask HandleAssignment(RemotingRequest request, NoHeader header)
    {
        if (!_onAssignment(request))
        {
            request.Reply(ResponseCode.RequestCodeNotSupported, "scripted");
        }

        return ValueTask.CompletedTask;
    }
}
